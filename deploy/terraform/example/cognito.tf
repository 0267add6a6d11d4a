# A user pool with the functions attached. network.tf has what surrounds it; replace that by what you have.
#
#   unpack arm64.tar of a release into dist/ beside this file (or run make release in a clone), then
#   terraform init && terraform apply -var graphql_host=api.example.com -var certificate_arn=arn:aws:acm:… -var alarm_email=…

terraform {
  required_version = ">= 1.11" # the example's secret is write-only; the module itself needs 1.5
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, != 6.0.0, != 6.1.0, != 6.2.0, != 6.3.0, != 6.4.0, != 6.5.0, != 6.6.0, != 6.7.0"
    }
  }
}

variable "alarm_email" {
  description = "Address that alarms are sent to. Amazon SNS asks it to confirm. Example: on-call@example.com"
  type        = string
}

module "hasura_cognito" {
  source = "../"
  # Outside a clone, with the tag of a release:
  # source = "git::https://github.com/phenom-earth/hasura-cognito.git//deploy/terraform?ref=v1.2.3"

  prefix         = "acme-prod"
  zips           = "${path.root}/dist/arm64"
  user_pool_arn  = aws_cognito_user_pool.main.arn
  graphql_domain = aws_lb.hasura.dns_name
  graphql_host   = var.graphql_host # the name on the listener's certificate, so that the sync uses TLS
  hasura_role    = "cognito_sync"   # of graphql/metadata; without it the sync acts as admin
  secrets_arn    = aws_secretsmanager_secret.hasura.arn

  # Leave both out for a Hasura on the internet.
  subnet_ids         = aws_subnet.private[*].id
  security_group_ids = [aws_security_group.functions.id]

  alarm_topic_arns = [aws_sns_topic.on_call.arn]
}

resource "aws_cognito_user_pool" "main" {
  name                     = "acme-prod"
  user_pool_tier           = "ESSENTIALS" # V2_0 needs it; with LITE use V1_0
  username_attributes      = ["email"]
  auto_verified_attributes = ["email"]

  lambda_config {
    post_confirmation   = module.hasura_cognito.sync_users_arn
    post_authentication = module.hasura_cognito.sync_users_arn

    pre_token_generation_config {
      lambda_arn     = module.hasura_cognito.trigger_arn
      lambda_version = "V2_0"
    }
  }
}

resource "aws_cognito_user_pool_client" "app" {
  name                          = "app"
  user_pool_id                  = aws_cognito_user_pool.main.id
  explicit_auth_flows           = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
  prevent_user_existence_errors = "ENABLED"
  # Users can write these attributes and no others: a session variable may come from another one.
  write_attributes = ["email", "name", "given_name", "family_name", "phone_number", "picture", "locale"]
}

# Hasura reads the same secret, for example as secrets of its ECS task. The value is never in the state.
resource "aws_secretsmanager_secret" "hasura" {
  name = "acme/prod/hasura"
}

ephemeral "aws_secretsmanager_random_password" "admin" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret_version" "hasura" {
  secret_id                = aws_secretsmanager_secret.hasura.id
  secret_string_wo         = jsonencode({ HASURA_GRAPHQL_ADMIN_SECRET = ephemeral.aws_secretsmanager_random_password.admin.random_password })
  secret_string_wo_version = 1 # another number makes another secret
}

resource "aws_sns_topic" "on_call" {
  name = "acme-prod-on-call"
}

resource "aws_sns_topic_subscription" "on_call" {
  topic_arn = aws_sns_topic.on_call.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}
