resource "aws_iam_role" "this" {
  for_each = local.functions

  # A role's name has 64 characters at most.
  name_prefix          = substr("${var.prefix}-${trimprefix(each.key, "hasura-cognito-")}-", 0, 38)
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

data "aws_iam_policy_document" "this" {
  for_each = local.functions

  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this[each.key].arn}:*"]
  }

  dynamic "statement" {
    for_each = each.key == "hasura-cognito-trigger" ? [] : [true]
    content {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [var.secrets_arn]
    }
  }

  dynamic "statement" {
    for_each = each.key == "hasura-cognito-trigger" || var.secrets_kms_key_arn == null ? [] : [true]
    content {
      actions   = ["kms:Decrypt"]
      resources = [var.secrets_kms_key_arn]
      condition { # only for this secret
        test     = "StringEquals"
        variable = "kms:EncryptionContext:SecretARN"
        values   = [var.secrets_arn]
      }
      condition { # and only through Secrets Manager
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["secretsmanager.${split(":", var.secrets_arn)[3]}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = each.key == "hasura-cognito-sync-users" ? [true] : []
    content {
      actions   = ["sqs:SendMessage"]
      resources = [aws_sqs_queue.parked.arn]
    }
  }

  dynamic "statement" {
    for_each = each.key == "hasura-cognito-replay-syncs" ? [true] : []
    content {
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      resources = [aws_sqs_queue.parked.arn]
    }
  }

  dynamic "statement" {
    for_each = each.key == "hasura-cognito-trigger" || var.queue_kms_key_arn == null ? [] : [true]
    content {
      actions   = each.key == "hasura-cognito-sync-users" ? ["kms:GenerateDataKey", "kms:Decrypt"] : ["kms:Decrypt"]
      resources = [var.queue_kms_key_arn]
      condition { # only through SQS
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["sqs.${local.region}.${data.aws_partition.current.dns_suffix}"]
      }
    }
  }

  dynamic "statement" {
    for_each = var.tracing == "Active" ? [true] : []
    content {
      actions   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resources = ["*"]
    }
  }

  # Nothing here may need the pool, which needs the functions, which need this.
  # Lambda makes the network interfaces with this role before the function runs; the function's own code is kept from them.
  dynamic "statement" {
    for_each = each.value.vpc ? [true] : []
    content {
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = ["*"]
    }
  }

  dynamic "statement" {
    for_each = each.value.vpc ? [true] : []
    content {
      effect    = "Deny"
      actions   = ["ec2:*"]
      resources = ["*"]
      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = ["arn:${data.aws_partition.current.partition}:lambda:${local.region}:${data.aws_caller_identity.current.account_id}:function:${var.prefix}-${each.key}"]
      }
    }
  }
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name   = "exact"
  role   = aws_iam_role.this[each.key].id
  policy = data.aws_iam_policy_document.this[each.key].json
}
