# Small, of the same shape as production: what works here works there.
data "aws_caller_identity" "this" {}

module "environment" {
  source                  = "../../modules/platform"
  name                    = "adloop-staging"
  region                  = var.region
  zones                   = [for letter in ["a", "b", "c"] : "${var.region}${letter}"]
  nat_gateways            = 1
  api_cidrs               = var.api_cidrs
  administrators          = var.administrators
  backup_days             = 3
  redis_node_type         = "cache.t4g.small"
  postgres_instance_class = "db.t4g.micro"
  postgres_multi_az       = false
  kafka_instance_type     = null
  password_version        = var.password_version

  github = {
    provider_arn = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:oidc-provider/token.actions.githubusercontent.com"
    repository   = var.repository
    environment  = "staging"
    image_arns   = [for image in ["server", "trainer"] : "arn:aws:ecr:${var.region}:${data.aws_caller_identity.this.account_id}:repository/adloop/${image}"]
  }

  pools = {
    serve     = { spot = false, min = 3, max = 6, instance_types = ["c5.xlarge"] }
    train-cpu = { spot = true, min = 0, max = 2, instance_types = ["m5.2xlarge", "m5a.2xlarge", "m6i.2xlarge", "m6a.2xlarge"] }
    train-gpu = { spot = true, gpu = true, min = 0, max = 1, instance_types = ["g5.2xlarge", "g6.2xlarge"] }
  }
}
