# A KMS key of its own for each module that stores something: reading needs the right to the data and to its key.
data "aws_caller_identity" "this" {}

locals {
  owner = {
    Sid       = "AccountGrantsByIamOnly"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
  service = {
    Sid       = "ServicesEncryptWhatTheyWriteForThisAccount"
    Effect    = "Allow"
    Principal = { Service = var.services }
    Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    Resource  = "*"
    Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
  }
}

resource "aws_kms_key" "this" {
  description             = "${var.name}: ${var.purpose}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in [local.owner, local.service] : statement if statement.Sid != local.service.Sid || length(var.services) > 0]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-${var.purpose}"
  target_key_id = aws_kms_key.this.key_id
}
