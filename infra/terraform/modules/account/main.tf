# The AWS role of one service account of the cluster (IRSA): no key is stored, its pods trade their token for an hour's.
# Whoever uses this module says what the role may do.
resource "aws_iam_role" "this" {
  name = var.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = var.oidc.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "${var.oidc.issuer}:aud" = "sts.amazonaws.com"
          "${var.oidc.issuer}:sub" = "system:serviceaccount:${var.namespace}:${var.account}"
        }
      }
    }]
  })
}
