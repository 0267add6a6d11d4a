# Required.

variable "prefix" {
  description = "Prefix of the names of functions, log groups and queues. Example: acme-prod"
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,37}$", var.prefix))
    error_message = "1 to 38 letters, digits, hyphens and underscores."
  }
}

variable "user_pool_arn" {
  description = "User pool. Only this pool can call the functions. Example: aws_cognito_user_pool.main.arn"
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:cognito-idp:[a-z0-9-]+:[0-9]{12}:userpool/[a-z0-9-]+_[A-Za-z0-9]+$", var.user_pool_arn))
    error_message = "The ARN of a user pool."
  }
}

variable "graphql_domain" {
  description = "Where Hasura is: a host, host:port or URL. A load balancer's DNS name means plain http without graphql_host. Example: aws_lb.hasura.dns_name"
  type        = string
  validation {
    condition     = can(regex("^(?:(?i:https?)://)?(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\\.?|\\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\\])(?::[0-9]{1,5})?(?:/[^\\s?#]*)?$", var.graphql_domain))
    error_message = "A host, host:port or URL, without user, password or query."
  }
  validation {
    condition     = !can(regex(":(?:0+|6553[6-9]|655[4-9][0-9]|65[6-9][0-9]{2}|6[6-9][0-9]{3}|[7-9][0-9]{4})(?:/.*)?$", var.graphql_domain))
    error_message = "A port from 1 to 65535."
  }
}

variable "secrets_arn" {
  description = "Secret that holds Hasura's admin secret, as a JSON object or plain text. Example: aws_secretsmanager_secret.hasura.arn"
  type        = string
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]+-[A-Za-z0-9]{6}$", var.secrets_arn))
    error_message = "The whole ARN of a secret, with the hyphen and six characters that Secrets Manager adds."
  }
}

variable "zips" {
  description = "Folder of the zips for the architecture, from a release or from make release. Example: dist/arm64"
  type        = string
}

# Settings of the functions. An empty value means unset. A test compares what these accept with what pkg/settings accepts.

variable "graphql_host" {
  description = "Name on Hasura's certificate, if graphql_domain is another name, such as a load balancer's. Example: api.example.com"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\\.?(?::[0-9]{1,5})?$", var.graphql_host))
    error_message = "A host or host:port, not a URL."
  }
  validation {
    condition     = !can(regex(":(?:0+|6553[6-9]|655[4-9][0-9]|65[6-9][0-9]{2}|6[6-9][0-9]{3}|[7-9][0-9]{4})(?:/.*)?$", var.graphql_host))
    error_message = "A port from 1 to 65535."
  }
}

variable "graphql_ca" {
  description = "Certificates (PEM, at most two) of a private certificate authority that issued Hasura's certificate. Example: file(\"ca.pem\")"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^(?:[\\s\\\\n]*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\\s\\\\]+-----END CERTIFICATE-----[\\s\\\\n]*){0,2}$", var.graphql_ca))
    error_message = "One or two certificates in PEM form."
  }
  validation {
    condition     = length(var.graphql_ca) <= 3072
    error_message = "At most 3,072 characters: the variables of a function have 4,096 bytes in total."
  }
}

variable "secrets_key" {
  description = "Key of the admin secret in the JSON object. Empty means the usual names. Example: HASURA_SECRET"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = !can(regex("^\\s|\\s$|[[:cntrl:]]", var.secrets_key))
    error_message = "A name without control characters and without spaces at either end."
  }
}

variable "hasura_role" {
  description = "Hasura role of the sync. cognito_sync of the shipped metadata can write only one user row. Empty means admin. Example: cognito_sync"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = !can(regex("^ | $|[^ -~]", var.hasura_role))
    error_message = "Printable ASCII characters, without spaces at either end."
  }
}

variable "sync_budget" {
  description = "Longest time that a sign-in waits for the sync, from 500ms to 4.5s. Empty means 3.5s. Example: 2s"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^(?:0\\.[5-9][0-9]*|[1-3](?:\\.[0-9]+)?|4(?:\\.[0-4][0-9]*|\\.50*)?)s$|^(?:(?:[5-9]|[1-3][0-9]|4[0-4])[0-9]{2}(?:\\.[0-9]+)?|4500(?:\\.0+)?)ms$", var.sync_budget))
    error_message = "A time from 500ms to 4.5s, such as 2s or 900ms."
  }
}

variable "sync_on_failure" {
  description = "What happens to a sign-in if the user row cannot be written. Empty means allow. Example: refuse"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^(?:allow|refuse)?$", var.sync_on_failure))
    error_message = "allow or refuse."
  }
}

variable "user_id" {
  description = "User attribute that holds the user's id in the application. Empty means the sub. Example: custom:legacy_id"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9:._-]*$", var.user_id))
    error_message = "The name of an attribute, which no app client may write."
  }
}

variable "roles" {
  description = "Which group gives which role. Empty: each group gives the role of its name, except admin. With the entry *, groups without an entry do so too, also names with . : / @ +. Example: admins=admin,staff=editor"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = alltrue([for entry in split(",", var.roles) : can(regex("^\\s*\\*?\\s*$|(?s)\\S.*=\\s*[^=\\s[:cntrl:]][^=[:cntrl:]]*$", entry))])
    error_message = "Entries of the form group=role, or *, separated by commas. A role has no equals sign and no control character."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.roles) : !can(regex("=\\s*(?:A(?i:dmin)|aD(?i:min)|adM(?i:in)|admI(?i:n)|admiN)\\s*$", entry))])
    error_message = "Write Hasura's role admin in lower case."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.roles) : !can(regex("(?i)=\\s*x-hasura-[^=]*$", entry))])
    error_message = "A role must not begin with x-hasura-."
  }
  validation {
    condition     = !can(regex("^[\\s,]+$", var.roles))
    error_message = "At least one entry, or the empty value."
  }
}

variable "role_attribute" {
  description = "User attribute that lists the groups of a SAML or OIDC provider. It needs roles with entries for them. Example: custom:groups"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9:._-]*$", var.role_attribute))
    error_message = "The name of an attribute, which users must not be able to write."
  }
}

variable "default_role" {
  description = "Default role: the first of this list that the user has. Empty means user. Example: editor,user"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = alltrue([for entry in split(",", var.default_role) : can(regex("^\\s*$|^\\s*[^=\\s[:cntrl:]][^=[:cntrl:]]*$", entry))])
    error_message = "Roles, separated by commas. A role has no equals sign and no control character."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.default_role) : !can(regex("^\\s*(?:A(?i:dmin)|aD(?i:min)|adM(?i:in)|admI(?i:n)|admiN)\\s*$", entry))])
    error_message = "Write Hasura's role admin in lower case."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.default_role) : !can(regex("(?i)^\\s*x-hasura-", entry))])
    error_message = "A role must not begin with x-hasura-."
  }
  validation {
    condition     = !can(regex("^[\\s,]+$", var.default_role))
    error_message = "At least one entry, or the empty value."
  }
}

variable "session_variables" {
  description = "Session variables: from attributes that no app client can write, groups:team-*, client_id, username, scopes. Example: x-hasura-org-id=custom:org_id"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = alltrue([for entry in split(",", var.session_variables) : can(regex("(?i)^\\s*$|^\\s*x-hasura-[a-z0-9_-]+\\s*=\\s*[^\\s[:cntrl:]][^[:cntrl:]]*$", entry))])
    error_message = "Entries of the form x-hasura-name=source, separated by commas."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.session_variables) : !can(regex("=\\s*groups:(?:[^*]*|[^*]*\\*.*\\S\\s*)$", entry))])
    error_message = "A list of groups has the form groups:prefix*, with the star at the end."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.session_variables) : !can(regex("(?i)^\\s*x-hasura-(?:user-id|allowed-roles|default-role|role|admin-secret|access-key|use-backend-only-permissions)\\s*=", entry))])
    error_message = "Hasura gives this session variable a meaning. An attribute must not set it."
  }
  validation {
    condition     = !can(regex("^[\\s,]+$", var.session_variables))
    error_message = "At least one entry, or the empty value."
  }
  validation {
    condition     = length(distinct(compact([for entry in split(",", var.session_variables) : lower(trimspace(split("=", entry)[0]))]))) == length(compact(split(",", replace(var.session_variables, " ", ""))))
    error_message = "A session variable must not occur twice."
  }
}

variable "tenant_groups" {
  description = "Form of the groups that put a user into a tenant. A user has the roles of the active tenant alone. Example: {tenant}:{role}"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^$|^[^{}[:cntrl:] ]*(?:\\{tenant\\}(?:[^{}[:cntrl:] ]+\\{role\\})?|\\{role\\}[^{}[:cntrl:] ]+\\{tenant\\})[^{}[:cntrl:] ]*$", var.tenant_groups))
    error_message = "{tenant} once and {role} at most once, with text between them and without spaces."
  }
}

variable "tenant_attribute" {
  description = "User attribute with the active tenant of a user in several tenants, unless the app sends one. Example: custom:tenant"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^[A-Za-z0-9:._-]*$", var.tenant_attribute))
    error_message = "The name of an attribute."
  }
}

variable "machine_roles" {
  description = "Roles of app clients that get tokens by client credentials, with V3_0. Example: 1example23456789example012=service"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = alltrue([for entry in split(",", var.machine_roles) : can(regex("^\\s*$|^\\s*[A-Za-z0-9_+]+\\s*=\\s*[^=\\s[:cntrl:]][^=[:cntrl:]]*$", entry))])
    error_message = "Entries of the form client id=role, separated by commas. A role has no equals sign and no control character."
  }
  validation {
    condition     = alltrue([for entry in split(",", var.machine_roles) : !can(regex("(?i)=\\s*(?:admin\\s*$|x-hasura-)", entry))])
    error_message = "A role of a machine must not be admin or begin with x-hasura-."
  }
  validation {
    condition     = !can(regex("^[\\s,]+$", var.machine_roles))
    error_message = "At least one entry, or the empty value."
  }
}

variable "claims_namespace" {
  description = "Claims namespace. Hasura DDN uses the example. Empty means https://hasura.io/jwt/claims. Example: claims.jwt.hasura.io"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = !can(regex("^\\s|\\s$|[[:cntrl:]]", var.claims_namespace))
    error_message = "A name without control characters and without spaces at either end."
  }
  validation {
    condition     = !can(regex("^(?:acr|amr|at_hash|aud|auth_time|azp|client_id|device_key|event_id|exp|iat|identities|iss)$", var.claims_namespace))
    error_message = "Cognito does not let a trigger set this claim."
  }
  validation {
    condition     = !can(regex("^(?:jti|nbf|nonce|origin_jti|scope|sub|token_use|username|version)$|^(?:cognito|dev):", var.claims_namespace))
    error_message = "Cognito does not let a trigger set this claim."
  }
}

variable "claims_format" {
  description = "claims_format of Hasura's JWT configuration. json needs V2_0 or V3_0. Empty means stringified_json. Example: json"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^(?:json|stringified_json)?$", var.claims_format))
    error_message = "json or stringified_json."
  }
}

variable "access_token_audience" {
  description = "client_id sets aud of access tokens to the app client's id. Empty: no aud, as in Cognito. Example: client_id"
  type        = string
  default     = ""
  nullable    = false
  validation {
    condition     = can(regex("^(?:client_id)?$", var.access_token_audience))
    error_message = "client_id."
  }
}

# Where the functions run.

variable "architecture" {
  description = "Lambda's processor, for which the zips were built. Example: arm64"
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "subnet_ids" {
  description = "Private subnets of all functions but the claims function. They must reach Secrets Manager and SQS, and for reconcile and follow the user pools API. Empty for no VPC. Example: [\"subnet-01\"]"
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "Security groups of these functions. They must allow TCP to Hasura's port and port 443. Example: [\"sg-01\"]"
  type        = list(string)
  default     = []
}

variable "secrets_kms_key_arn" {
  description = "KMS key that encrypts the secret. null for aws/secretsmanager. Example: aws_kms_key.secrets.arn"
  type        = string
  default     = null
  validation {
    condition     = var.secrets_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.secrets_kms_key_arn))
    error_message = "The ARN of a key, not of an alias."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of every role. null for none. Example: arn:aws:iam::123456789012:policy/boundary"
  type        = string
  default     = null
  validation {
    condition     = var.permissions_boundary_arn == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9/_+=,.@-]+$", var.permissions_boundary_arn))
    error_message = "The ARN of a managed policy."
  }
}

variable "trigger_memory" {
  description = "Memory of the claims function in MB. More memory means more CPU and a faster cold start. Example: 512"
  type        = number
  default     = 512
  validation {
    condition     = var.trigger_memory >= 128 && var.trigger_memory <= 1769
    error_message = "128 to 1769."
  }
}

variable "sync_memory" {
  description = "Memory of all functions but the claims function in MB. More memory means more CPU and a faster cold start. Example: 512"
  type        = number
  default     = 512
  validation {
    condition     = var.sync_memory >= 128 && var.sync_memory <= 1769
    error_message = "128 to 1769."
  }
}

variable "trigger_reserved" {
  description = "Reserved concurrency of the claims function. -1 for none. If it is too small, sign-ins fail: Cognito does not wait. Example: 100"
  type        = number
  default     = -1
  validation {
    condition     = var.trigger_reserved == -1 || var.trigger_reserved >= 1
    error_message = "-1 or a number from 1; 0 would stop every sign-in."
  }
}

variable "sync_reserved" {
  description = "Reserved concurrency of the sync function. It bounds the concurrent requests to Hasura. -1 for none. Example: 100"
  type        = number
  default     = -1
  validation {
    condition     = var.sync_reserved == -1 || var.sync_reserved >= 1
    error_message = "-1 or a number from 1; 0 would stop every sign-in."
  }
}

variable "trigger_provisioned" {
  description = "Provisioned concurrency of the claims function, at most trigger_reserved. Example: 2"
  type        = number
  default     = 0
  validation {
    condition     = var.trigger_provisioned >= 0
    error_message = "0 or more."
  }
}

variable "sync_provisioned" {
  description = "Provisioned concurrency of the sync function, at most sync_reserved. Example: 2"
  type        = number
  default     = 0
  validation {
    condition     = var.sync_provisioned >= 0
    error_message = "0 or more."
  }
}

variable "tracing" {
  description = "Active sends a sample of calls to X-Ray. With PassThrough the caller decides, and Cognito asks for none. Example: Active"
  type        = string
  default     = "PassThrough"
  validation {
    condition     = contains(["Active", "PassThrough"], var.tracing)
    error_message = "Active or PassThrough."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept. They identify users by sub alone. Example: 30"
  type        = number
  default     = 30
}

variable "log_kms_key_arn" {
  description = "KMS key that encrypts the logs. Its policy must allow CloudWatch Logs. null for none. Example: aws_kms_key.logs.arn"
  type        = string
  default     = null
  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.log_kms_key_arn))
    error_message = "The ARN of a key, not of an alias."
  }
}

# Parked syncs and monitoring.

variable "replay_concurrency" {
  description = "Batches of parked syncs that are replayed at the same time. It bounds the load on Hasura after an outage. Example: 2"
  type        = number
  default     = 2
  validation {
    condition     = var.replay_concurrency >= 2 && var.replay_concurrency <= 1000
    error_message = "2 to 1000."
  }
}

variable "replay_receives" {
  description = "Attempts, three minutes apart, to replay a parked sync before it goes to the dead-letter queue. Example: 100"
  type        = number
  default     = 100
  validation {
    condition     = var.replay_receives >= 1 && var.replay_receives <= 1000
    error_message = "1 to 1000."
  }
}

variable "reconcile_schedule" {
  description = "When the reconcile function makes the users table equal to the user pool, in UTC. Empty: never. Example: rate(1 day)"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(?:rate\\((?:1 (?:minute|hour|day)|[1-9][0-9]* (?:minutes|hours|days))\\)|cron\\([^()]+\\))?$", var.reconcile_schedule))
    error_message = "rate(...) or cron(...) of EventBridge Scheduler."
  }
}

variable "reconcile_on_delete" {
  description = "What happens to the row of a user who is gone: report writes nothing, mark sets deleted_at, anonymize also empties the personal columns. Empty means report. Example: mark"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(?:report|mark|anonymize)?$", var.reconcile_on_delete))
    error_message = "report, mark or anonymize."
  }
}

variable "reconcile_max_gone" {
  description = "Share of the users of a part of the pool who may be gone. If more are gone, and more than 10, none is marked. Empty means 5%. Example: 2.5%"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(?:(?:100(?:\\.0+)?|[0-9]{1,2}(?:\\.[0-9]+)?)%)?$", var.reconcile_max_gone))
    error_message = "A percentage from 0% to 100%."
  }
}

variable "reconcile_hasura_role" {
  description = "Hasura role of reconcile and follow. cognito_reconcile of the shipped metadata can read and write only the columns of the user pool. Empty means admin. Example: cognito_reconcile"
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(?:[!-~](?:[ -~]*[!-~])?)?$", var.reconcile_hasura_role))
    error_message = "Printable ASCII characters, with no space at either end."
  }
}

variable "reconcile_alarm_hours" {
  description = "Hours without a reconciled part of the pool until ReconcileMissingAlarm goes into ALARM: twice the time between two runs. Example: 48"
  type        = number
  default     = 48
  validation {
    condition     = var.reconcile_alarm_hours >= 2 && var.reconcile_alarm_hours <= 168
    error_message = "2 to 168."
  }
}

variable "follow_changes" {
  description = "Writes the row of a user soon after a change, from the records of CloudTrail. It needs a trail that logs write management events, and reconcile_schedule, because records can be lost. Example: true"
  type        = bool
  default     = false
}

variable "queue_kms_key_arn" {
  description = "KMS key that encrypts the queues. Its policy must let IAM allow its use, and EventBridge use it if follow_changes is true. null for the key of SQS. Example: aws_kms_key.queues.arn"
  type        = string
  default     = null
  validation {
    condition     = var.queue_kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.queue_kms_key_arn))
    error_message = "The ARN of a key, not of an alias."
  }
}

variable "monitoring" {
  description = "Creates metrics, alarms and a dashboard. CloudWatch charges for them. Example: false"
  type        = bool
  default     = true
}

variable "alarm_topic_arns" {
  description = "SNS topics that alarms notify. Example: [aws_sns_topic.on_call.arn]"
  type        = list(string)
  default     = []
}
