# A bucket a purpose, so that a right to one is none to another. All are versioned, encrypted and reached by TLS only.
data "aws_caller_identity" "this" {}

module "key" {
  source  = "../key"
  name    = var.name
  purpose = "storage"
}

locals {
  buckets = {
    lake     = { about = "raw tables, as you deliver them", superseded_days = 90, colder_days = 0, expire_days = 0 }
    features = { about = "offline features: ADLOOP_OFFLINE_URI", superseded_days = 30, colder_days = 0, expire_days = 0 }
    models   = { about = "signed bundles: ADLOOP_ARTIFACTS_URI", superseded_days = 365, colder_days = 0, expire_days = 0 }
    records  = { about = "decisions and outcomes: ADLOOP_RECORDS_URI", superseded_days = 365, colder_days = 90, expire_days = 0 }
    work     = { about = "what passes between pipeline steps, and checkpoints", superseded_days = 7, colder_days = 0, expire_days = 30 }
    access   = { about = "who read or wrote the other buckets", superseded_days = 7, colder_days = 90, expire_days = 400 }
  }
  logged = { for name, bucket in local.buckets : name => bucket if name != "access" }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_144:One region is what is asked for; versions and Terraform's destroy guard are the backup
  #checkov:skip=CKV_AWS_18:All are logged but the bucket of the logs
  #checkov:skip=CKV_AWS_145:All are but the bucket of the logs, which S3 can only write with its own key
  #checkov:skip=CKV2_AWS_62:Nothing waits for an object to arrive
  for_each = local.buckets
  bucket   = "${var.name}-${each.key}-${data.aws_caller_identity.this.account_id}"
  tags     = { about = each.value.about }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.this[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

# S3 itself can write access logs only where the bucket's own key encrypts them.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.this[each.key].id
  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "access" ? "AES256" : "aws:kms"
      kms_master_key_id = each.key == "access" ? null : module.key.arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = local.buckets
  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.this[each.key].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_logging" "this" {
  for_each      = local.logged
  bucket        = aws_s3_bucket.this[each.key].id
  target_bucket = aws_s3_bucket.this["access"].id
  target_prefix = "${each.key}/"
  depends_on    = [aws_s3_bucket_policy.this] # which lets S3 write there
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }], each.key != "access" ? [] : [{
      Sid       = "AccessLogs"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "${aws_s3_bucket.this[each.key].arn}/*"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }])
  })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.buckets
  bucket   = aws_s3_bucket.this[each.key].id

  rule {
    id     = "superseded"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = each.value.superseded_days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # Servers replace the copies of their open journals every few seconds, until a part has their records. Only these have
  # the tag.
  rule {
    id     = "journals"
    status = "Enabled"
    filter {
      tag {
        key   = "adloop"
        value = "journal"
      }
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  dynamic "rule" {
    for_each = each.value.colder_days > 0 ? [each.value.colder_days] : []
    content {
      id     = "colder"
      status = "Enabled"
      filter {}
      transition {
        days          = rule.value
        storage_class = "STANDARD_IA"
      }
    }
  }

  dynamic "rule" {
    for_each = each.value.expire_days > 0 ? [each.value.expire_days] : []
    content {
      id     = "expire"
      status = "Enabled"
      filter {}
      expiration {
        days = rule.value
      }
    }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}
