locals {
  oidc = {
    arn    = aws_iam_openid_connect_provider.this.arn
    issuer = replace(aws_eks_cluster.this.identity[0].oidc[0].issuer, "https://", "")
  }
}

output "name" {
  value = aws_eks_cluster.this.name
}

output "arn" {
  value = aws_eks_cluster.this.arn
}

output "oidc" {
  description = "The identity provider that service accounts prove themselves with."
  value       = local.oidc
}

output "security_group_id" {
  description = "Security group of all nodes."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}

output "autoscaler_role_arn" {
  value = module.autoscaler.arn
}
