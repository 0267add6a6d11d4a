locals {
  # Below 1,769 MB a function has less than one CPU, so more threads only wait for each other.
  runtime = { GOMAXPROCS = "1" }

  # Amazon Linux 2023 has the root CAs in one bundle and again in 145 files, and Go would parse them all (golang/go#79018).
  # The folder does not exist, so Go parses only the bundle.
  tls = {
    SSL_CERT_FILE = "/etc/pki/tls/certs/ca-bundle.crt"
    SSL_CERT_DIR  = "/nonexistent"
  }

  hasura = merge(
    { GRAPHQL_DOMAIN = var.graphql_domain, SECRETS_ARN = var.secrets_arn },
    { for name, value in {
      GRAPHQL_HOST = var.graphql_host
      GRAPHQL_CA   = var.graphql_ca
      SECRETS_KEY  = var.secrets_key
    } : name => value if value != "" },
  )

  role = { for name, value in { HASURA_ROLE = var.hasura_role } : name => value if value != "" }

  sync = { for name, value in {
    SYNC_BUDGET     = var.sync_budget
    SYNC_ON_FAILURE = var.sync_on_failure
    USER_ID         = var.user_id
  } : name => value if value != "" }

  claims = { for name, value in {
    USER_ID               = var.user_id
    ROLES                 = var.roles
    ROLE_ATTRIBUTE        = var.role_attribute
    DEFAULT_ROLE          = var.default_role
    SESSION_VARIABLES     = var.session_variables
    TENANT_GROUPS         = var.tenant_groups
    TENANT_ATTRIBUTE      = var.tenant_attribute
    MACHINE_ROLES         = var.machine_roles
    CLAIMS_NAMESPACE      = var.claims_namespace
    CLAIMS_FORMAT         = var.claims_format
    ACCESS_TOKEN_AUDIENCE = var.access_token_audience
  } : name => value if value != "" }

  pool = { for name, value in {
    USER_ID               = var.user_id
    RECONCILE_HASURA_ROLE = var.reconcile_hasura_role
    RECONCILE_ON_DELETE   = var.reconcile_on_delete
  } : name => value if value != "" }

  limits = { for name, value in { RECONCILE_MAX_GONE = var.reconcile_max_gone } : name => value if value != "" }

  has_reconcile = var.reconcile_schedule != ""
  has_follow    = local.has_reconcile && var.follow_changes

  functions = { for name, function in {
    hasura-cognito-trigger = {
      description = "Adds Hasura claims to the tokens of a user pool"
      memory      = var.trigger_memory
      timeout     = 5 # Cognito waits five seconds
      reserved    = var.trigger_reserved
      vpc         = false # it calls nothing
      environment = merge(local.runtime, local.claims)
    }
    hasura-cognito-sync-users = {
      description = "Writes the user who signs up or in to Hasura"
      memory      = var.sync_memory
      timeout     = 5
      reserved    = var.sync_reserved
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, local.hasura, local.role, local.sync, { SYNC_QUEUE_URL = aws_sqs_queue.parked.url })
    }
    hasura-cognito-replay-syncs = {
      description = "Writes parked syncs to Hasura"
      memory      = var.sync_memory
      timeout     = 30 # no user waits for it
      reserved    = -1
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, local.hasura, local.role)
    }
    hasura-cognito-reconcile-users = !local.has_reconcile ? null : {
      description = "Makes the users table equal to the user pool"
      memory      = var.sync_memory
      timeout     = 900 # the longest; a part that takes longer is split
      reserved    = -1
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, local.hasura, local.pool, local.limits, { RECONCILE_QUEUE_URL = aws_sqs_queue.reconcile[0].url }) # and USER_POOL_ID
    }
    hasura-cognito-follow-users = !local.has_follow ? null : {
      description = "Writes users who changed in the user pool to Hasura"
      memory      = var.sync_memory
      timeout     = 60 # a batch of 50 look-ups at 3 per second takes 17 s
      reserved    = -1
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, local.hasura, local.pool, { RECONCILE_QUEUE_URL = aws_sqs_queue.follow[0].url }) # and USER_POOL_ID
    }
  } : name => function if function != null }

  # The functions that read the pool.
  readers = ["hasura-cognito-reconcile-users", "hasura-cognito-follow-users"]

  # The functions that Cognito calls, and their provisioned concurrency.
  called      = ["hasura-cognito-trigger", "hasura-cognito-sync-users"]
  provisioned = { hasura-cognito-trigger = var.trigger_provisioned, hasura-cognito-sync-users = var.sync_provisioned }

  # What the pool must call: with provisioned concurrency, the alias that has it.
  called_arns = {
    for name in local.called : name => sum(values(local.provisioned)) > 0 ? aws_lambda_alias.live[name].arn : aws_lambda_function.this[name].arn
  }
}

resource "aws_lambda_function" "this" {
  for_each = { for name, function in local.functions : name => function if !contains(local.readers, name) }

  function_name                  = "${var.prefix}-${each.key}"
  description                    = each.value.description
  role                           = aws_iam_role.this[each.key].arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  filename                       = "${var.zips}/${each.key}.zip"
  source_code_hash               = filebase64sha256("${var.zips}/${each.key}.zip")
  memory_size                    = each.value.memory
  timeout                        = each.value.timeout
  reserved_concurrent_executions = each.value.reserved
  publish                        = contains(local.called, each.key) # each change publishes a version

  environment {
    variables = each.value.environment
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this[each.key].name
  }

  tracing_config {
    mode = var.tracing
  }

  dynamic "vpc_config" {
    for_each = each.value.vpc ? [true] : []
    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  lifecycle {
    precondition {
      condition     = (length(var.subnet_ids) > 0) == (length(var.security_group_ids) > 0)
      error_message = "subnet_ids and security_group_ids go together: set both or neither."
    }
    precondition {
      condition     = var.role_attribute == "" || can(regex("=", var.roles))
      error_message = "role_attribute needs roles with an entry group=role."
    }
    precondition {
      condition     = var.tenant_attribute == "" || var.tenant_groups != ""
      error_message = "tenant_attribute needs tenant_groups."
    }
    precondition {
      condition     = local.has_reconcile || !var.follow_changes
      error_message = "follow_changes needs reconcile_schedule."
    }
  }

  # Without these rights a function can neither log nor enter a VPC.
  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.secret_and_vpc]
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.functions

  name              = "/aws/lambda/${var.prefix}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_lambda_alias" "live" {
  for_each = toset(local.called)

  name             = "live"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  for_each = { for name, count in local.provisioned : name => count if count > 0 }

  function_name                     = aws_lambda_alias.live[each.key].function_name
  qualifier                         = aws_lambda_alias.live[each.key].name
  provisioned_concurrent_executions = each.value
}

# A pool's lambda_config grants nothing: without this permission every sign-in fails. The function and its alias both have it, so
# that a pool can move between them without a gap. It alone may refer to the pool, which refers to the functions.
resource "aws_lambda_permission" "cognito" {
  for_each = { for pair in setproduct(local.called, ["", "live"]) : join(":", compact(pair)) => pair }

  statement_id   = "AllowCognito"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.this[each.value[0]].function_name
  qualifier      = each.value[1] == "" ? null : aws_lambda_alias.live[each.value[0]].name
  principal      = "cognito-idp.amazonaws.com"
  source_account = data.aws_caller_identity.current.account_id
  source_arn     = var.user_pool_arn
}
