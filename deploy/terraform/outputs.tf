output "trigger_arn" {
  description = "The pre token generation trigger, as the pool is to call it"
  value       = local.called_arns["hasura-cognito-trigger"]
}

output "sync_users_arn" {
  description = "The post confirmation and post authentication trigger, as the pool is to call it"
  value       = local.called_arns["hasura-cognito-sync-users"]
}

output "parked_syncs_url" {
  description = "The queue of failed syncs"
  value       = aws_sqs_queue.parked.url
}

output "dead_letters_url" {
  description = "The queue of those that could not be written for good"
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letters_arn" {
  description = "The same, as \"aws sqs start-message-move-task --source-arn\" takes it"
  value       = aws_sqs_queue.dead_letters.arn
}
