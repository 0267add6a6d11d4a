# Reconcile: the schedule sends one message. The reconcile function then sends itself one message for each part of the pool.
# Follow: EventBridge forwards what CloudTrail records of calls to Cognito.

# The pool refers to the other functions. So only these, and their second policy, may refer to the pool.
resource "aws_lambda_function" "reader" {
  for_each = { for name, function in local.functions : name => function if contains(local.readers, name) }

  function_name    = "${var.prefix}-${each.key}"
  description      = each.value.description
  role             = aws_iam_role.this[each.key].arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = "${var.zips}/${each.key}.zip"
  source_code_hash = filebase64sha256("${var.zips}/${each.key}.zip")
  memory_size      = each.value.memory
  timeout          = each.value.timeout

  environment {
    variables = merge(each.value.environment, { USER_POOL_ID = split("/", var.user_pool_arn)[1] })
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

  depends_on = [aws_iam_role_policy.this, aws_iam_role_policy.reader, aws_iam_role_policy_attachment.secret_and_vpc]
}

resource "aws_iam_role_policy" "reader" {
  for_each = { for name, statement in {
    hasura-cognito-reconcile-users = { Effect = "Allow", Action = ["cognito-idp:ListUsers", "cognito-idp:DescribeUserPool"], Resource = var.user_pool_arn }
    hasura-cognito-follow-users    = { Effect = "Allow", Action = ["cognito-idp:ListUsers"], Resource = var.user_pool_arn }
  } : name => statement if contains(keys(local.functions), name) }

  name   = "read-pool"
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [each.value] })
}

resource "aws_sqs_queue" "reconcile" {
  count = local.has_reconcile ? 1 : 0

  name                       = "${var.prefix}-hasura-cognito-reconcile"
  sqs_managed_sse_enabled    = var.queue_kms_key_arn == null ? true : null
  kms_master_key_id          = var.queue_kms_key_arn
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 5400 # six times the timeout of the reconcile function
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.reconcile_dead_letters[0].arn, maxReceiveCount = 3 })
}

# For reconcile and follow. The next run does what is in it.
resource "aws_sqs_queue" "reconcile_dead_letters" {
  count = local.has_reconcile ? 1 : 0

  name                      = "${var.prefix}-hasura-cognito-reconcile-dead-letters"
  sqs_managed_sse_enabled   = var.queue_kms_key_arn == null ? true : null
  kms_master_key_id         = var.queue_kms_key_arn
  message_retention_seconds = 1209600
}

# ListUsers allows 30 requests per second. Each of the four calls at the same time sends at most 4.5.
resource "aws_lambda_event_source_mapping" "reconcile" {
  count = local.has_reconcile ? 1 : 0

  function_name           = aws_lambda_function.reader["hasura-cognito-reconcile-users"].arn
  event_source_arn        = aws_sqs_queue.reconcile[0].arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 4
  }
}

resource "aws_scheduler_schedule" "reconcile" {
  count = local.has_reconcile ? 1 : 0

  name                = "${var.prefix}-hasura-cognito-reconcile"
  schedule_expression = var.reconcile_schedule

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_sqs_queue.reconcile[0].arn
    role_arn = aws_iam_role.schedule[0].arn
    input    = jsonencode({ version = 1 })
  }
}

resource "aws_iam_role" "schedule" {
  count = local.has_reconcile ? 1 : 0

  name_prefix          = substr("${var.prefix}-reconcile-schedule-", 0, 38)
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Principal = { Service = "scheduler.amazonaws.com" }, Action = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "schedule" {
  count = local.has_reconcile ? 1 : 0

  name = "exact"
  role = aws_iam_role.schedule[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in [
      { Effect = "Allow", Action = ["sqs:SendMessage"], Resource = aws_sqs_queue.reconcile[0].arn },
      var.queue_kms_key_arn == null ? null : {
        Effect    = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = var.queue_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.${local.via}" } }
      },
    ] : statement if statement != null]
  })
}

# Most records name no pool, so the function decides. Sign-ins and refreshes change no row, and are by far the most.
resource "aws_cloudwatch_event_rule" "follow" {
  count = local.has_follow ? 1 : 0

  name = "${var.prefix}-hasura-cognito-follow"
  event_pattern = jsonencode({
    source      = ["aws.cognito-idp"]
    detail-type = ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"]
    detail = {
      eventSource = ["cognito-idp.amazonaws.com"]
      eventName   = [{ anything-but = ["InitiateAuth", "AdminInitiateAuth", "GetTokensFromRefreshToken"] }]
    }
  })
}

resource "aws_cloudwatch_event_target" "follow" {
  count = local.has_follow ? 1 : 0

  rule = aws_cloudwatch_event_rule.follow[0].name
  arn  = aws_sqs_queue.follow[0].arn

  dead_letter_config {
    arn = aws_sqs_queue.reconcile_dead_letters[0].arn
  }
}

resource "aws_sqs_queue" "follow" {
  count = local.has_follow ? 1 : 0

  name                       = "${var.prefix}-hasura-cognito-follow"
  sqs_managed_sse_enabled    = var.queue_kms_key_arn == null ? true : null
  kms_master_key_id          = var.queue_kms_key_arn
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 600 # at least six times the timeout of the follow function; five tries outlast 40 minutes without Hasura
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.reconcile_dead_letters[0].arn, maxReceiveCount = 5 })
}

resource "aws_sqs_queue_policy" "follow" {
  for_each = local.has_follow ? { queue = aws_sqs_queue.follow[0], dead-letters = aws_sqs_queue.reconcile_dead_letters[0] } : {}

  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Principal = { Service = "events.amazonaws.com" }, Action = "sqs:SendMessage", Resource = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.follow[0].arn } }
    }]
  })
}

resource "aws_lambda_event_source_mapping" "follow" { # a batch has each user once
  count = local.has_follow ? 1 : 0

  function_name                      = aws_lambda_function.reader["hasura-cognito-follow-users"].arn
  event_source_arn                   = aws_sqs_queue.follow[0].arn
  batch_size                         = 50
  maximum_batching_window_in_seconds = 5
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }
}
