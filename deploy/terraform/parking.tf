# A sync that failed waits in the parked syncs queue until the replay function can write it.

locals {
  parked_name       = "${var.prefix}-hasura-cognito-parked-syncs"
  dead_letters_name = "${var.prefix}-hasura-cognito-parked-syncs-dead-letters"

  # 1 MiB, which the attributes of a user always fit in. Version 5 of the AWS provider refuses more than 256 KiB; it is known by a
  # data source that lacks the attribute region.
  max_message_size = contains(keys(data.aws_region.current), "region") ? 1048576 : 262144
}

resource "aws_sqs_queue" "parked" {
  name                       = local.parked_name
  sqs_managed_sse_enabled    = var.queue_kms_key_arn == null ? true : null # messages hold personal data, so one of the two encrypts them
  kms_master_key_id          = var.queue_kms_key_arn
  max_message_size           = local.max_message_size
  message_retention_seconds  = 1209600 # 14 days, the longest
  visibility_timeout_seconds = 180     # six times the timeout of the replay function; the time between two attempts
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.replay_receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letters_name
  sqs_managed_sse_enabled   = var.queue_kms_key_arn == null ? true : null
  kms_master_key_id         = var.queue_kms_key_arn
  max_message_size          = local.max_message_size
  message_retention_seconds = 1209600
}

resource "aws_lambda_event_source_mapping" "replay" {
  function_name           = aws_lambda_function.this["hasura-cognito-replay-syncs"].arn
  event_source_arn        = aws_sqs_queue.parked.arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.replay_concurrency
  }
}
