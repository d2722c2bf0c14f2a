# Whoever holds the signing key can have servers run any model. An administrator may replace it but not read it: the
# policy denies even what IAM allows.
resource "aws_secretsmanager_secret_policy" "signing_key" {
  secret_arn = aws_secretsmanager_secret.this["signing-key"].arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyRegisterReads"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
      Resource  = "*"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = var.register_role_arn } }
    }]
  })
}
