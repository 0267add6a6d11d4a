# What failed waits here, and is written as soon as Hasura takes it.

locals {
  parked_name       = "${var.prefix}-hasura-cognito-parked-syncs"
  dead_letters_name = "${var.prefix}-hasura-cognito-parked-syncs-dead-letters"
  region            = split(":", aws_sqs_queue.parked.arn)[3]
}

resource "aws_sqs_queue" "parked" {
  name                       = local.parked_name
  sqs_managed_sse_enabled    = var.queue_kms_key_arn == null ? true : null # messages hold personal data; the one or the other encrypts them
  kms_master_key_id          = var.queue_kms_key_arn
  message_retention_seconds  = 1209600 # 14 days, the most there is
  visibility_timeout_seconds = 180     # six times the replay's timeout; also the time between two tries
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.replay_receives
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letters_name
  sqs_managed_sse_enabled   = var.queue_kms_key_arn == null ? true : null
  kms_master_key_id         = var.queue_kms_key_arn
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
