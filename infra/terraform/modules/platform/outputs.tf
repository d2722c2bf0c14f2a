output "cluster" {
  value = module.cluster.name
}

output "role_arns" {
  description = "For the annotation eks.amazonaws.com/role-arn of each service account."
  value       = merge(module.identity.role_arns, { cluster-autoscaler = module.cluster.autoscaler_role_arn })
}

output "deploy_role_arn" {
  description = "For the variable DEPLOY_ROLE of the environment on GitHub."
  value       = module.identity.deploy_role_arn
}

output "buckets" {
  value = module.storage.buckets
}

output "secrets" {
  value = module.secrets.arns
}

output "redis" {
  value = module.data.redis
}

output "postgres_address" {
  value = module.data.postgres_address
}

output "kafka" {
  value = module.data.kafka
}
