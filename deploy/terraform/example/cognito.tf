# A production pool: aws_lb.main is Hasura's internal load balancer, aws_secretsmanager_secret.app_secrets the application's secrets,
# module.vpc the network that both are in.

resource "aws_cognito_user_pool" "main" {
  name           = "acme-prod"
  user_pool_tier = "ESSENTIALS" # V2_0 needs it; with LITE say V1_0

  lambda_config {
    post_confirmation   = module.hasura_cognito.sync_users_arn
    post_authentication = module.hasura_cognito.sync_users_arn

    pre_token_generation_config {
      lambda_arn     = module.hasura_cognito.trigger_arn
      lambda_version = "V2_0"
    }
  }
}

module "hasura_cognito" {
  source = "../"

  prefix         = "acme-prod"
  zips           = "${path.root}/dist/arm64"
  user_pool_arn  = aws_cognito_user_pool.main.arn
  graphql_domain = aws_lb.main.dns_name
  secrets_arn    = aws_secretsmanager_secret.app_secrets.arn

  # Leave both out for a Hasura that is on the internet.
  subnet_ids         = module.vpc.private_subnets
  security_group_ids = [aws_security_group.hasura_cognito.id]
}
