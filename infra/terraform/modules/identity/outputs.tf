output "role_arns" {
  description = "Role of each account, for the annotation eks.amazonaws.com/role-arn of its service account."
  value       = { for account, role in module.account : "adloop-${account}" => role.arn }
}

output "register_role_arn" {
  value = module.account["register"].arn
}

output "deploy_role_arn" {
  value = aws_iam_role.deploy.arn
}
