# At a glance: can people sign in, do their rows arrive, how long does it take?

locals {
  widgets = [
    {
      title = "Can people sign in? Errors, throttles, refusals and faults should be none"
      stat  = "Sum"
      metrics = [
        ["AWS/Lambda", "Errors", "FunctionName", local.trigger_name, { label = "errors, claims" }],
        ["AWS/Lambda", "Errors", "FunctionName", local.sync_users_name, { label = "errors, sync" }],
        ["AWS/Lambda", "Throttles", "FunctionName", local.trigger_name, { label = "throttles, claims" }],
        ["AWS/Lambda", "Throttles", "FunctionName", local.sync_users_name, { label = "throttles, sync" }],
        [local.namespace, "Refused"],
        [local.namespace, "Faults"],
      ]
    },
    {
      title = "Do tokens get their claims?"
      stat  = "Sum"
      metrics = [
        [local.namespace, "Shaped"],
        [local.namespace, "PassedThrough"],
      ]
    },
    {
      title = "Do their rows arrive?"
      stat  = "Sum"
      metrics = [
        [local.namespace, "Synced"],
        [local.namespace, "Stale"],
        [local.namespace, "Parked"],
        [local.namespace, "Replayed"],
        [local.namespace, "Unsynced"],
        [local.namespace, "Broken"],
      ]
    },
    {
      title = "What still waits, and what was given up"
      stat  = "Maximum"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.parked_name, { label = "waiting" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.dead_letters_name, { label = "dead letters" }],
      ]
    },
    {
      title = "How long does the sync take? Cognito waits 5,000 ms"
      stat  = "Sum"
      metrics = [
        [local.namespace, "SyncTime", { stat = "p50", label = "median" }],
        [local.namespace, "SyncTime", { stat = "p99", label = "p99" }],
      ]
    },
    {
      title = "How long do cold starts take, before the call?"
      stat  = "Sum"
      metrics = [
        [local.namespace, "ColdStart", { stat = "p50", label = "median" }],
        [local.namespace, "ColdStart", { stat = "p99", label = "p99" }],
      ]
    },
  ]

  # Two in a row.
  dashboard = {
    widgets = [
      for i, widget in local.widgets : {
        type       = "metric", x = i % 2 * 12, y = floor(i / 2) * 6, width = 12, height = 6
        properties = { title = widget.title, region = local.region, view = "timeSeries", period = 300, stat = widget.stat, metrics = widget.metrics }
      }
    ]
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.monitoring ? 1 : 0

  dashboard_name = "${var.prefix}-hasura-cognito"
  dashboard_body = jsonencode(local.dashboard)
}
