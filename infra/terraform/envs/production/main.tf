data "aws_caller_identity" "this" {}

module "environment" {
  source                  = "../../modules/platform"
  name                    = "adloop-production"
  region                  = var.region
  zones                   = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  nat_gateways            = 3
  api_cidrs               = var.api_cidrs
  administrators          = var.administrators
  backup_days             = 35
  redis_node_type         = "cache.r7g.large"
  postgres_instance_class = "db.t4g.medium"
  postgres_multi_az       = true
  kafka_instance_type     = null
  password_version        = var.password_version

  github = {
    provider_arn = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:oidc-provider/token.actions.githubusercontent.com"
    repository   = var.repository
    environment  = "production"
    image_arns   = [for image in ["server", "trainer"] : "arn:aws:ecr:${var.region}:${data.aws_caller_identity.this.account_id}:repository/adloop/${image}"]
  }

  # Types of one pool have the same CPUs and memory, as the autoscaler counts with one shape; several types make it rarer
  # that a zone has no spot node left.
  pools = {
    serve     = { spot = false, min = 3, max = 12, instance_types = ["c5.4xlarge"] }
    train-cpu = { spot = true, min = 0, max = 8, instance_types = ["m5.2xlarge", "m5a.2xlarge", "m6i.2xlarge", "m6a.2xlarge"] }
    train-gpu = { spot = true, gpu = true, min = 0, max = 4, instance_types = ["g5.2xlarge", "g6.2xlarge"] }
  }
}
