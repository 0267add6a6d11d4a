# As in template.yaml, which a test holds this to.

locals {
  sync_users_name = "${var.prefix}-hasura-cognito-sync-users"
  trigger_name    = "${var.prefix}-hasura-cognito-trigger"

  alarms = {
    refused = {
      description = "People were refused because their rows could not be written (SYNC_ON_FAILURE=refuse)"
      namespace   = local.namespace, metric = "Refused"
    }
    unsynced = {
      description = "Rows were neither written nor parked; the people's next sign-ins write them"
      namespace   = local.namespace, metric = "Unsynced"
    }
    faults = {
      description = "A function is misconfigured, was given something that is no event, or panicked"
      namespace   = local.namespace, metric = "Faults"
    }
    sync-slow = {
      description = "One sync in a hundred takes most of the time that Cognito waits"
      namespace   = local.namespace, metric = "SyncTime", percentile = "p99", periods = 3, threshold = 3000
    }
    trigger-errors = {
      description = "Calls failed, and with them people's sign-ins; see the log of the claim shaper"
      namespace   = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = local.trigger_name }
    }
    sync-errors = {
      description = "Calls failed, and with them people's sign-ins; see the log of the sync"
      namespace   = "AWS/Lambda", metric = "Errors", dimensions = { FunctionName = local.sync_users_name }
    }
    trigger-throttles = {
      description = "Lambda had no room for calls of the claim shaper, and each was a failed sign-in; raise trigger_reserved or the account's quota"
      namespace   = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = local.trigger_name }
    }
    sync-throttles = {
      description = "Lambda had no room for calls of the sync, and each was a failed sign-in; raise sync_reserved or the account's quota"
      namespace   = "AWS/Lambda", metric = "Throttles", dimensions = { FunctionName = local.sync_users_name }
    }
    dead-letters = {
      description = "Rows of people could not be written for good; README.md says how to look at them and send them again"
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      dimensions  = { QueueName = local.dead_letters_name }
    }
    parked-age = {
      description = "Failed syncs have waited for a quarter of an hour, so Hasura is not to be reached or refuses them"
      namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", threshold = 900
      dimensions  = { QueueName = local.parked_name }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.monitoring }

  alarm_name          = "${var.prefix}-hasura-cognito-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = try(each.value.dimensions, null)
  statistic           = can(each.value.percentile) ? null : try(each.value.statistic, "Sum")
  extended_statistic  = try(each.value.percentile, null)
  period              = 300
  evaluation_periods  = try(each.value.periods, 1)
  comparison_operator = "GreaterThanThreshold"
  threshold           = try(each.value.threshold, 0)
  treat_missing_data  = "notBreaching" # SQS sends nothing of a queue that is long empty
  alarm_actions       = var.alarm_topic_arns
}
