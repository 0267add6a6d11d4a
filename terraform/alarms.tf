locals {
  alarms = {
    trigger-errors = {
      description = "Calls failed, and with them people's sign-ins; see the log of the claim shaper"
      namespace   = "AWS/Lambda", metric = "Errors", threshold = 0
      dimensions  = { FunctionName = "${var.prefix}-hasura-cognito-trigger" }
    }
    sync-errors = {
      description = "Calls failed, and with them people's sign-ins; see the log of the sync"
      namespace   = "AWS/Lambda", metric = "Errors", threshold = 0
      dimensions  = { FunctionName = "${var.prefix}-hasura-cognito-sync-users" }
    }
    dead-letters = {
      description = "Rows of people could not be written for good; README.md says how to look at them and send them again"
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", threshold = 0
      dimensions  = { QueueName = "${var.prefix}-hasura-cognito-parked-syncs-dead-letters" }
    }
    parked-age = {
      description = "Failed syncs have waited for a quarter of an hour, so Hasura is not to be reached or refuses them"
      namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", threshold = 900
      dimensions  = { QueueName = "${var.prefix}-hasura-cognito-parked-syncs" }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.alarms }

  alarm_name          = "${var.prefix}-hasura-cognito-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.namespace == "AWS/SQS" ? "Maximum" : "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}

# Rows that were neither written nor parked: the log line is all there is of them.
resource "aws_cloudwatch_log_metric_filter" "unsynced" {
  count = var.alarms ? 1 : 0

  name           = "${var.prefix}-hasura-cognito-unsynced"
  log_group_name = aws_cloudwatch_log_group.this["hasura-cognito-sync-users"].name
  pattern        = "{ ($.message = \"unsynced\") || ($.message = \"refused\") }"

  metric_transformation {
    namespace     = "HasuraCognito/${var.prefix}"
    name          = "Unsynced"
    value         = "1"
    default_value = 0
  }
}

resource "aws_cloudwatch_metric_alarm" "unsynced" {
  count = var.alarms ? 1 : 0

  alarm_name          = "${var.prefix}-hasura-cognito-unsynced"
  alarm_description   = "Rows were neither written nor parked; the people's next sign-ins write them"
  namespace           = "HasuraCognito/${var.prefix}"
  metric_name         = aws_cloudwatch_log_metric_filter.unsynced[0].metric_transformation[0].name
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
}
