output "trigger_arn" {
  description = "The pre token generation trigger, as the pool must call it."
  value       = local.called_arns["hasura-cognito-trigger"]
}

output "sync_users_arn" {
  description = "The post confirmation and post authentication trigger, as the pool must call it."
  value       = local.called_arns["hasura-cognito-sync-users"]
}

output "parked_syncs_url" {
  description = "URL of the parked syncs queue."
  value       = aws_sqs_queue.parked.url
}

output "dead_letters_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letters_arn" {
  description = "ARN of the dead-letter queue, for aws sqs start-message-move-task --source-arn."
  value       = aws_sqs_queue.dead_letters.arn
}
