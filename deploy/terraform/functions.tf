locals {
  # Below 1,769 MB there is less than one processor: more threads only get in each other's way.
  runtime = { GOMAXPROCS = "1" }

  # One bundle of authorities instead of it and again some 145 files (golang/go#79018). The folder is one that is not there.
  tls = {
    SSL_CERT_FILE = "/etc/pki/tls/certs/ca-bundle.crt"
    SSL_CERT_DIR  = "/nonexistent"
  }

  hasura = {
    GRAPHQL_DOMAIN = var.graphql_domain
    SECRETS_ARN    = var.secrets_arn
  }

  # The replay takes those of the sync's settings that say how Hasura is reached.
  replay_settings = { for name, value in var.sync_settings : name => value if contains(["SECRETS_KEY", "GRAPHQL_HOST", "HASURA_ROLE"], name) }

  # Those that Cognito calls, and how many environments of each are kept started.
  called      = ["hasura-cognito-trigger", "hasura-cognito-sync-users"]
  provisioned = { hasura-cognito-trigger = var.trigger_provisioned, hasura-cognito-sync-users = var.sync_provisioned }

  # What the pool is to call: the alias where it is the one with environments that are started.
  called_arns = {
    for name in local.called : name => sum(values(local.provisioned)) > 0 ? aws_lambda_alias.live[name].arn : aws_lambda_function.this[name].arn
  }

  functions = {
    hasura-cognito-trigger = {
      description = "Puts Hasura's claims into the tokens of a Cognito user pool"
      memory      = var.trigger_memory
      timeout     = 5 # as long as Cognito waits
      reserved    = var.trigger_reserved
      vpc         = false # it calls nothing
      environment = merge(local.runtime, var.trigger_settings)
    }
    hasura-cognito-sync-users = {
      description = "Writes the person who signs up or in to Hasura"
      memory      = var.sync_memory
      timeout     = 5
      reserved    = var.sync_reserved
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, var.sync_settings, local.hasura, { SYNC_QUEUE_URL = aws_sqs_queue.parked.url })
    }
    hasura-cognito-replay-syncs = {
      description = "Writes the syncs that failed to Hasura"
      memory      = var.sync_memory
      timeout     = 30 # nobody waits for it
      reserved    = -1
      vpc         = length(var.subnet_ids) > 0
      environment = merge(local.runtime, local.tls, local.replay_settings, local.hasura)
    }
  }
}

resource "aws_lambda_function" "this" {
  for_each = local.functions

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
  publish                        = contains(local.called, each.key) # any change makes a version, unlike with SAM

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

  # A function can neither log nor enter a VPC before its role lets it.
  depends_on = [aws_iam_role_policy.this]
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

# Without it Cognito fails every sign-in: a pool's lambda_config grants nothing. Function and alias both have it, so that a pool can
# move from the one to the other without a gap.
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
