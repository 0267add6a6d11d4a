# A VPC without internet access, and Hasura's internal load balancer. Hasura itself registers with the target group.

variable "graphql_host" {
  description = "Name on the certificate of Hasura's load balancer. Example: api.example.com"
  type        = string
}

variable "certificate_arn" {
  description = "Certificate for that name in AWS Certificate Manager, in the Region of the load balancer."
  type        = string
}

data "aws_region" "current" {}
data "aws_availability_zones" "available" { state = "available" }

resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true # for the private DNS names of the endpoints
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

# The functions reach Secrets Manager and SQS without leaving the VPC.
resource "aws_vpc_endpoint" "this" {
  for_each = toset(["secretsmanager", "sqs"])

  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.${data.aws_region.current.id}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
}

resource "aws_lb" "hasura" {
  name               = "acme-prod-hasura"
  internal           = true
  load_balancer_type = "application"
  subnets            = aws_subnet.private[*].id
  security_groups    = [aws_security_group.load_balancer.id]
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.hasura.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.hasura.arn
  }
}

resource "aws_lb_target_group" "hasura" {
  name        = "acme-prod-hasura"
  target_type = "ip"
  port        = 8080
  protocol    = "HTTP"
  vpc_id      = aws_vpc.main.id

  health_check {
    path = "/healthz"
  }
}

# Who may connect to whom: the functions to the load balancer and the endpoints, the load balancer to Hasura.

resource "aws_security_group" "functions" {
  name   = "acme-prod-hasura-cognito"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "endpoints" {
  name   = "acme-prod-endpoints"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "load_balancer" {
  name   = "acme-prod-hasura-load-balancer"
  vpc_id = aws_vpc.main.id
}

resource "aws_security_group" "hasura" { # of Hasura's tasks or instances; add the rule to its database
  name   = "acme-prod-hasura"
  vpc_id = aws_vpc.main.id
}

locals {
  connections = {
    secrets_and_queue = { from = aws_security_group.functions.id, to = aws_security_group.endpoints.id, port = 443 }
    graphql           = { from = aws_security_group.functions.id, to = aws_security_group.load_balancer.id, port = 443 }
    hasura            = { from = aws_security_group.load_balancer.id, to = aws_security_group.hasura.id, port = 8080 }
  }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.connections

  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.connections

  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}
