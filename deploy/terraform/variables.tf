# What every deployment says.

variable "prefix" {
  description = "Begins the names of the functions, such as acme-prod for acme-prod-hasura-cognito-trigger"
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,37}$", var.prefix))
    error_message = "1 to 38 letters, digits, hyphens and underscores."
  }
}

variable "user_pool_arn" {
  description = "The pool, the only one that may call the functions, such as aws_cognito_user_pool.main.arn"
  type        = string
}

variable "graphql_domain" {
  description = "Where the sync reaches Hasura: a host, host:port or URL, such as aws_lb.main.dns_name"
  type        = string
}

variable "secrets_arn" {
  description = "The secret that holds Hasura's admin secret, such as aws_secretsmanager_secret.app_secrets.arn"
  type        = string
}

variable "zips" {
  description = "The folder of the built zips, such as dist/arm64; make release puts them there"
  type        = string
}

# Where it runs.

variable "architecture" {
  description = "Lambda's processor, such as arm64; the zips are built for it"
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the sync and the replay, from which Hasura, Secrets Manager and SQS are reached; none for no VPC"
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups of both when they have subnets"
  type        = list(string)
  default     = []
}

variable "secrets_kms_key_arn" {
  description = "The key that encrypts the secret; null for Secrets Manager's own"
  type        = string
  default     = null
}

variable "permissions_boundary_arn" {
  description = "The boundary of every role; null for none"
  type        = string
  default     = null
}

variable "trigger_memory" {
  description = "MB of the claim shaper"
  type        = number
  default     = 512
}

variable "sync_memory" {
  description = "MB of the sync and the replay"
  type        = number
  default     = 512
}

variable "trigger_reserved" {
  description = "Calls of the claim shaper that the account keeps free for it, and the most at once; -1 shares the account's, and 0 would stop every sign-in"
  type        = number
  default     = -1
}

variable "sync_reserved" {
  description = "The same for the sync"
  type        = number
  default     = -1
}

variable "trigger_provisioned" {
  description = "Environments of the claim shaper that are kept started, such as 2, and paid for whether used or not; at most trigger_reserved"
  type        = number
  default     = 0
}

variable "sync_provisioned" {
  description = "The same for the sync; at most sync_reserved"
  type        = number
  default     = 0
}

variable "tracing" {
  description = "Active sends a share of the calls to X-Ray; PassThrough leaves that to the caller, and Cognito asks for none"
  type        = string
  default     = "PassThrough"
  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "Active or PassThrough."
  }
}

variable "log_retention_days" {
  description = "Days that the logs are kept"
  type        = number
  default     = 30
}

variable "log_kms_key_arn" {
  description = "The key that encrypts the logs; null for CloudWatch's own"
  type        = string
  default     = null
}

# The settings of the functions, by variable, as README.md lists them.

variable "trigger_settings" {
  description = "Such as { ROLES = \"admins=admin,staff=editor\" }"
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setsubtract(keys(var.trigger_settings), ["ROLES", "DEFAULT_ROLE", "SESSION_VARIABLES", "CLAIMS_NAMESPACE", "CLAIMS_FORMAT", "ACCESS_TOKEN_AUDIENCE"])) == 0
    error_message = "Only the settings of the claims that README.md lists: another name would be read by nothing."
  }
}

variable "sync_settings" {
  description = "Such as { HASURA_ROLE = \"cognito_sync\", SYNC_BUDGET = \"2s\" }"
  type        = map(string)
  default     = {}
  validation {
    condition     = length(setsubtract(keys(var.sync_settings), ["SECRETS_KEY", "GRAPHQL_HOST", "HASURA_ROLE", "SYNC_BUDGET", "SYNC_ON_FAILURE"])) == 0
    error_message = "Only the settings of the sync that README.md lists, without those that have a variable of their own."
  }
}

# Syncs that failed, and who watches.

variable "replay_concurrency" {
  description = "Batches of failed syncs that are replayed at once, at least 2"
  type        = number
  default     = 2
}

variable "replay_receives" {
  description = "How often a failed sync is tried, every three minutes, before it is a dead letter"
  type        = number
  default     = 100
}

variable "queue_kms_key_arn" {
  description = "The key that encrypts the failed syncs, whose policy leaves its use to IAM; null for SQS's own"
  type        = string
  default     = null
}

variable "monitoring" {
  description = "Whether there are metrics from the logs, alarms and a dashboard, all of which CloudWatch charges for"
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "The topics that the alarms notify"
  type        = list(string)
  default     = []
}
