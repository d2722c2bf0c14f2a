output "arns" {
  description = "ARN of each secret."
  value       = { for purpose, secret in aws_secretsmanager_secret.this : purpose => secret.arn }
}

output "key_arn" {
  value = module.key.arn
}
