output "environment" {
  description = "Names and addresses that infra/kubernetes and docs/operations.md ask for."
  value       = module.environment
}
