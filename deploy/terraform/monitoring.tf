# Metric filters, alarms and the dashboard come from monitoring.json, which make generate derives from template.yaml.

locals {
  monitoring = jsondecode(templatefile("${path.module}/monitoring.json", {
    prefix = var.prefix, region = data.aws_region.current.id, reconcile_alarm_hours = var.reconcile_alarm_hours
  }))
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = { for name, filter in local.monitoring.filters : name => filter
  if var.monitoring && contains(keys(local.functions), trimprefix(filter.LogGroupName, "/aws/lambda/${var.prefix}-")) }

  name           = "${var.prefix}-hasura-cognito-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this[trimprefix(each.value.LogGroupName, "/aws/lambda/${var.prefix}-")].name
  pattern        = each.value.FilterPattern

  dynamic "metric_transformation" {
    for_each = each.value.MetricTransformations
    iterator = metric
    content {
      namespace  = metric.value.MetricNamespace
      name       = metric.value.MetricName
      value      = metric.value.MetricValue
      unit       = metric.value.Unit
      dimensions = { for dimension in try(metric.value.Dimensions, []) : dimension.Key => dimension.Value }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.monitoring.alarms : name => alarm
  if var.monitoring && (local.has_reconcile || !startswith(name, "reconcile-")) }

  alarm_name          = "${var.prefix}-hasura-cognito-${each.key}"
  alarm_description   = each.value.AlarmDescription
  namespace           = try(each.value.Namespace, null)
  metric_name         = try(each.value.MetricName, null)
  dimensions          = try({ for dimension in each.value.Dimensions : dimension.Name => dimension.Value }, null)
  statistic           = try(each.value.Statistic, null)
  extended_statistic  = try(each.value.ExtendedStatistic, null)
  period              = try(each.value.Period, null)
  evaluation_periods  = each.value.EvaluationPeriods
  datapoints_to_alarm = try(each.value.DatapointsToAlarm, null)
  comparison_operator = each.value.ComparisonOperator
  threshold           = each.value.Threshold
  treat_missing_data  = each.value.TreatMissingData
  alarm_actions       = var.alarm_topic_arns

  dynamic "metric_query" { # of an alarm over several metrics
    for_each = try(each.value.Metrics, [])
    iterator = query
    content {
      id          = query.value.Id
      expression  = try(query.value.Expression, null)
      return_data = try(query.value.ReturnData, true)

      dynamic "metric" {
        for_each = try([query.value.MetricStat], [])
        content {
          namespace   = metric.value.Metric.Namespace
          metric_name = metric.value.Metric.MetricName
          dimensions  = { for dimension in metric.value.Metric.Dimensions : dimension.Name => dimension.Value }
          stat        = metric.value.Stat
          period      = metric.value.Period
        }
      }
    }
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.monitoring ? 1 : 0

  dashboard_name = "${var.prefix}-hasura-cognito"
  dashboard_body = jsonencode(local.monitoring.dashboard)
}
