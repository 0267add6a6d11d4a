terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.82" # the first with user_pool_tier
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
