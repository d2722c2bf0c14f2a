output "repositories" {
  description = "Address of the repository of each image."
  value       = { for image, repository in aws_ecr_repository.this : image => repository.repository_url }
}

output "repository_arns" {
  value = [for repository in aws_ecr_repository.this : repository.arn]
}

output "key_arn" {
  value = module.key.arn
}
