# The deploy workflow proves to AWS which repository and which of its environments it runs for, and gets this role for an
# few hours. In AWS it may find the cluster and read images with their signatures; what it may do in the cluster,
# infra/kubernetes says of its group.
resource "aws_iam_role" "deploy" {
  name                 = "${var.name}-deploy"
  max_session_duration = 7200
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.github.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = "repo:${var.github.repository}:environment:${var.github.environment}"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "deploy" {
  name = "adloop"
  role = aws_iam_role.deploy.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "eks:DescribeCluster", Resource = var.cluster.arn },
      { Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      { Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource = var.github.image_arns },
    ]
  })
}

resource "aws_eks_access_entry" "deploy" {
  cluster_name      = var.cluster.name
  principal_arn     = aws_iam_role.deploy.arn
  kubernetes_groups = ["adloop-deploy"]
}
