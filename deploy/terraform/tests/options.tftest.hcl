# Plans and applies the module with and without its options. No AWS is called.

mock_provider "aws" {
  mock_data "aws_caller_identity" { defaults = { account_id = "123456789012" } }
  mock_data "aws_partition" { defaults = { partition = "aws", dns_suffix = "amazonaws.com" } }
  mock_data "aws_region" { defaults = { id = "us-east-1" } }
  mock_resource "aws_iam_role" { defaults = { arn = "arn:aws:iam::123456789012:role/function" } }
  mock_resource "aws_iam_policy" { defaults = { arn = "arn:aws:iam::123456789012:policy/secret-and-vpc" } }
  mock_resource "aws_lambda_function" { defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:f" } }
  mock_resource "aws_lambda_alias" { defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:f:live" } }
  mock_resource "aws_cloudwatch_event_rule" { defaults = { arn = "arn:aws:events:us-east-1:123456789012:rule/r" } }
  mock_resource "aws_sqs_queue" { defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:q" } }
  mock_resource "aws_cloudwatch_log_group" { defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:l" } }
}

variables {
  prefix         = "acme"
  user_pool_arn  = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ExaMPle01"
  graphql_domain = "hasura.internal"
  secrets_arn    = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"
  zips           = "example/dist/arm64"
}

run "without_options" {
  variables { monitoring = false }

  assert {
    condition     = output.trigger_arn == "arn:aws:lambda:us-east-1:123456789012:function:f"
    error_message = "The pool must call the function."
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) + length(aws_cloudwatch_log_metric_filter.this) + length(aws_cloudwatch_dashboard.this) == 0
    error_message = "Without monitoring there are no metrics, alarms and dashboard."
  }
  assert {
    condition     = aws_lambda_function.this["hasura-cognito-trigger"].environment[0].variables == tomap({ GOMAXPROCS = "1" })
    error_message = "Without settings the claims function has no environment variables."
  }
  assert {
    condition     = length(aws_lambda_function.reader) == 0 && length(aws_scheduler_schedule.reconcile) + length(aws_sqs_queue.reconcile) + length(aws_iam_role.schedule) == 0
    error_message = "Without a schedule nothing of reconcile exists."
  }
  assert {
    condition     = aws_sqs_queue.parked.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "Without a key SQS encrypts the messages with its own."
  }
}

run "with_every_option" {
  variables {
    architecture             = "x86_64"
    subnet_ids               = ["subnet-01"]
    security_group_ids       = ["sg-01"]
    secrets_kms_key_arn      = "arn:aws:kms:eu-west-1:123456789012:key/secret"
    queue_kms_key_arn        = "arn:aws:kms:us-east-1:123456789012:key/queue"
    log_kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/log"
    permissions_boundary_arn = "arn:aws:iam::123456789012:policy/boundary"
    tracing                  = "Active"
    trigger_reserved         = 100
    sync_reserved            = 50
    trigger_provisioned      = 2
    roles                    = "admins=admin,*"
    role_attribute           = "custom:groups"
    session_variables        = "x-hasura-team-ids=groups:team-*,x-hasura-client=client_id"
    tenant_groups            = "{tenant}:{role}"
    tenant_attribute         = "custom:tenant"
    machine_roles            = "1example23456789example012=service"
    hasura_role              = "cognito_sync"
    sync_budget              = "2s"
    alarm_topic_arns         = ["arn:aws:sns:us-east-1:123456789012:on-call"]
  }

  assert {
    condition     = output.trigger_arn == "arn:aws:lambda:us-east-1:123456789012:function:f:live" && output.sync_users_arn == output.trigger_arn
    error_message = "With provisioned concurrency the pool must call the aliases."
  }
  assert {
    condition = [for statement in jsondecode(aws_iam_policy.secret_and_vpc.policy).Statement : statement.Condition.StringEquals["kms:ViaService"]
    if try(statement.Action[0], "") == "kms:Decrypt"] == ["secretsmanager.eu-west-1.amazonaws.com"]
    error_message = "The secret's key is used through Secrets Manager in the Region of the secret."
  }
  assert {
    condition     = [for name in ["trigger", "sync-users", "replay-syncs"] : length(jsondecode(aws_iam_role_policy.this["hasura-cognito-${name}"].policy).Statement)] == [2, 4, 4]
    error_message = "Log and trace; for the sync and the replay also the queue and its key."
  }
  assert {
    condition     = aws_lambda_function.this["hasura-cognito-replay-syncs"].environment[0].variables["HASURA_ROLE"] == "cognito_sync"
    error_message = "The replay function writes as the same role as the sync function."
  }
  assert {
    condition     = aws_sqs_queue.parked.kms_master_key_id == var.queue_kms_key_arn && aws_sqs_queue.dead_letters.kms_master_key_id == var.queue_kms_key_arn
    error_message = "The key encrypts the messages."
  }
}

run "reconcile" {
  variables {
    reconcile_schedule    = "rate(1 day)"
    reconcile_on_delete   = "mark"
    reconcile_alarm_hours = 24
    queue_kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/queue"
  }

  assert {
    condition     = [for name in ["reconcile-missing", "reconcile-failed"] : aws_cloudwatch_metric_alarm.this[name].evaluation_periods] == [24, 1]
    error_message = "The alarm rings after reconcile_alarm_hours."
  }
  assert {
    condition     = keys(aws_lambda_function.reader) == ["hasura-cognito-reconcile-users"] && length(aws_sqs_queue.follow) + length(aws_cloudwatch_event_rule.follow) == 0 && !contains(keys(aws_cloudwatch_log_metric_filter.this), "follow-lag")
    error_message = "Without follow_changes there is no follow function."
  }
  assert {
    condition     = aws_lambda_function.reader["hasura-cognito-reconcile-users"].environment[0].variables["USER_POOL_ID"] == "us-east-1_ExaMPle01"
    error_message = "The reconcile function reads the pool."
  }
}

run "follow" {
  variables {
    reconcile_schedule = "cron(0 3 * * ? *)"
    follow_changes     = true
  }

  assert {
    condition = aws_cloudwatch_event_target.follow[0].arn == aws_sqs_queue.follow[0].arn && length(aws_sqs_queue_policy.follow) == 2 && contains(
    keys(aws_cloudwatch_log_metric_filter.this), "follow-lag")
    error_message = "EventBridge may send to the queue and to its dead-letter queue."
  }
  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.reader["hasura-cognito-follow-users"].policy).Statement : statement.Resource
    if statement.Action == ["cognito-idp:ListUsers"]] == [var.user_pool_arn]
    error_message = "The follow function reads this pool alone."
  }
}

run "follow_needs_reconcile" {
  command = plan
  variables { follow_changes = true }
  expect_failures = [aws_lambda_function.this]
}

run "subnets_need_security_groups" {
  command = plan
  variables { subnet_ids = ["subnet-01"] }
  expect_failures = [aws_lambda_function.this]
}

run "role_attribute_needs_roles" {
  command = plan
  variables {
    role_attribute = "custom:groups"
    roles          = "*"
  }
  expect_failures = [aws_lambda_function.this]
}

run "tenant_attribute_needs_tenant_groups" {
  command = plan
  variables { tenant_attribute = "custom:tenant" }
  expect_failures = [aws_lambda_function.this]
}
