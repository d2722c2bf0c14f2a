# One environment: everything adloop stands on in AWS. envs/ says how large.
module "log_key" {
  source   = "../key"
  name     = var.name
  purpose  = "logs"
  services = ["logs.${var.region}.amazonaws.com"]
}

module "network" {
  source       = "../network"
  name         = var.name
  region       = var.region
  zones        = var.zones
  nat_gateways = var.nat_gateways
  key_arn      = module.log_key.arn
}

module "storage" {
  source = "../storage"
  name   = var.name
}

module "cluster" {
  source         = "../cluster"
  name           = var.name
  subnet_ids     = module.network.private_subnet_ids
  api_cidrs      = var.api_cidrs
  administrators = var.administrators
  pools          = var.pools
  log_key_arn    = module.log_key.arn
}

module "secrets" {
  source            = "../secrets"
  name              = var.name
  register_role_arn = module.identity.register_role_arn
}

module "identity" {
  source          = "../identity"
  name            = var.name
  oidc            = module.cluster.oidc
  cluster         = { name = module.cluster.name, arn = module.cluster.arn }
  buckets         = module.storage.buckets
  storage_key_arn = module.storage.key_arn
  secret_arns     = module.secrets.arns
  secrets_key_arn = module.secrets.key_arn
  github          = var.github
}

module "data" {
  source                  = "../data"
  name                    = var.name
  region                  = var.region
  vpc_id                  = module.network.vpc_id
  subnet_ids              = module.network.data_subnet_ids
  node_security_group_id  = module.cluster.security_group_id
  backup_days             = var.backup_days
  redis_node_type         = var.redis_node_type
  postgres_instance_class = var.postgres_instance_class
  postgres_multi_az       = var.postgres_multi_az
  postgres_password       = ephemeral.aws_secretsmanager_secret_version.postgres.secret_string
  kafka_instance_type     = var.kafka_instance_type
  kafka_password          = ephemeral.aws_secretsmanager_random_password.new.random_password
  password_version        = var.password_version
}
