# What the logs say, counted. Each filter is on a phrase that the code logs.

locals {
  namespace = "HasuraCognito/${var.prefix}"

  metrics = {
    shaped           = { function = "trigger", metric = "Shaped", phrases = ["shaped"] }
    passed-through   = { function = "trigger", metric = "PassedThrough", phrases = ["passed through"] }
    synced           = { function = "sync-users", metric = "Synced", phrases = ["synced"] }
    stale            = { function = "sync-users", metric = "Stale", phrases = ["stale"] }
    dropped          = { function = "sync-users", metric = "Dropped", phrases = ["attributes dropped"] }
    parked           = { function = "sync-users", metric = "Parked", phrases = ["parked"] }
    unsynced         = { function = "sync-users", metric = "Unsynced", phrases = ["sync lost"] }
    refused          = { function = "sync-users", metric = "Refused", phrases = ["sign-in refused"] }
    broken           = { function = "sync-users", metric = "Broken", phrases = ["permanent failure"] }
    ignored          = { function = "sync-users", metric = "Ignored", phrases = ["ignored"] }
    sync-time        = { function = "sync-users", metric = "SyncTime", pattern = "{ $.ms >= 0 }", milliseconds = "$.ms" }
    cold-start       = { function = "sync-users", metric = "ColdStart", phrases = ["cold start"], milliseconds = "$.init_ms" }
    secret-trouble   = { function = "sync-users", metric = "SecretTrouble", phrases = ["secret fetch failed", "secret stale"] }
    secret-refreshed = { function = "sync-users", metric = "SecretRefreshed", phrases = ["secret refreshed"] }
    replayed         = { function = "replay-syncs", metric = "Replayed", phrases = ["replayed"] }
    replayed-stale   = { function = "replay-syncs", metric = "ReplayedStale", phrases = ["stale"] }
    left-for-later   = { function = "replay-syncs", metric = "LeftForLater", phrases = ["will retry"] }
    replay-broken    = { function = "replay-syncs", metric = "ReplayBroken", phrases = ["permanent failure"] }
    trigger-faults   = { function = "trigger", metric = "Faults", phrases = ["panic", "misconfigured", "invalid event"] }
    sync-faults      = { function = "sync-users", metric = "Faults", phrases = ["panic", "misconfigured", "invalid event"] }
    replay-faults    = { function = "replay-syncs", metric = "Faults", phrases = ["panic", "misconfigured", "invalid event"] }
  }

  # The pattern of a filter on one phrase, or on any of several.
  patterns = {
    for name, m in local.metrics : name => try(m.pattern, length(m.phrases) == 1
      ? "{ $.message = \"${m.phrases[0]}\" }"
      : "{ ${join(" || ", [for phrase in m.phrases : "($.message = \"${phrase}\")"])} }"
    )
  }
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = { for name, metric in local.metrics : name => metric if var.monitoring }

  name           = "${var.prefix}-hasura-cognito-${each.key}"
  log_group_name = aws_cloudwatch_log_group.this["hasura-cognito-${each.value.function}"].name
  pattern        = local.patterns[each.key]

  metric_transformation {
    namespace     = local.namespace
    name          = each.value.metric
    value         = try(each.value.milliseconds, "1")
    unit          = can(each.value.milliseconds) ? "Milliseconds" : "Count"
    default_value = can(each.value.milliseconds) ? null : 0
  }
}
