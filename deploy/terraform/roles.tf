locals {
  account = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
  via     = data.aws_partition.current.dns_suffix

  # What the role of one function alone may do. A statement that does not apply is null.
  statements = {
    hasura-cognito-trigger = []
    hasura-cognito-sync-users = [
      { Effect = "Allow", Action = ["sqs:SendMessage"], Resource = aws_sqs_queue.parked.arn },
      var.queue_kms_key_arn == null ? null : {
        Effect    = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = var.queue_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.${local.via}" } }
      },
    ]
    hasura-cognito-replay-syncs = [ # Lambda polls the queue with this role
      { Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource = aws_sqs_queue.parked.arn },
      var.queue_kms_key_arn == null ? null : {
        Effect    = "Allow", Action = ["kms:Decrypt"], Resource = var.queue_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.${local.via}" } }
      },
    ]
    hasura-cognito-reconcile-users = [
      {
        Effect   = "Allow", Action = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = one(aws_sqs_queue.reconcile[*].arn)
      },
      var.queue_kms_key_arn == null ? null : {
        Effect    = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = var.queue_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.${local.via}" } }
      },
    ]
    hasura-cognito-follow-users = [
      {
        Effect   = "Allow", Action = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = one(aws_sqs_queue.follow[*].arn)
      },
      var.queue_kms_key_arn == null ? null : {
        Effect    = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = var.queue_kms_key_arn
        Condition = { StringEquals = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.${local.via}" } }
      },
    ]
  }

  # What every function but the claims function may do: read the secret, and run in the VPC.
  secret_and_vpc = [
    { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = var.secrets_arn },
    # Only for this secret, and only through Secrets Manager in the Region of the secret.
    var.secrets_kms_key_arn == null ? null : {
      Effect = "Allow", Action = ["kms:Decrypt"], Resource = var.secrets_kms_key_arn
      Condition = { StringEquals = {
        "kms:EncryptionContext:SecretARN" = var.secrets_arn
        "kms:ViaService"                  = "secretsmanager.${split(":", var.secrets_arn)[3]}.${local.via}"
      } }
    },
    # Lambda creates the network interfaces with the function's role. They have no ids yet, and the Describe actions take no resource.
    # So the last statement keeps the functions' own code from these actions.
    length(var.subnet_ids) == 0 ? null : {
      Effect = "Allow", Action = [
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
      ], Resource = "*"
    },
    {
      Effect = "Deny", Action = ["ec2:*"], Resource = "*"
      Condition = { ArnEquals = { "lambda:SourceFunctionArn" = [
        for name in ["sync-users", "replay-syncs", "reconcile-users", "follow-users"] :
        "arn:${data.aws_partition.current.partition}:lambda:${local.account}:function:${var.prefix}-hasura-cognito-${name}"
      ] } }
    },
  ]
}

resource "aws_iam_role" "this" {
  for_each = local.functions

  name_prefix          = substr("${var.prefix}-${trimprefix(each.key, "hasura-cognito-")}-", 0, 38) # a role's name has at most 64 characters
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.functions

  name = "exact"
  role = aws_iam_role.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in concat(
      [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.this[each.key].arn}:*" }],
      [var.tracing == "PassThrough" ? null : { Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], Resource = "*" }],
      local.statements[each.key],
    ) : statement if statement != null]
  })

  # In an upgrade the roles get the shared policy before this one stops giving the same rights.
  depends_on = [aws_iam_role_policy_attachment.secret_and_vpc]
}

resource "aws_iam_policy" "secret_and_vpc" {
  name_prefix = "${var.prefix}-hasura-cognito-"
  description = "Lets the sync and the replay function read the secret and run in the VPC" # another text would replace the policy
  policy      = jsonencode({ Version = "2012-10-17", Statement = [for statement in local.secret_and_vpc : statement if statement != null] })
}

resource "aws_iam_role_policy_attachment" "secret_and_vpc" {
  for_each = toset([for name, function in local.functions : name if name != "hasura-cognito-trigger"])

  role       = aws_iam_role.this[each.key].name
  policy_arn = aws_iam_policy.secret_and_vpc.arn
}
