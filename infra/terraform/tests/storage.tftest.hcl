mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name = "adloop-test"
}

run "every_bucket_is_versioned_encrypted_and_private" {
  module {
    source = "./modules/storage"
  }
  assert {
    condition     = toset(keys(output.buckets)) == toset(["lake", "features", "models", "records", "work", "access"])
    error_message = "a bucket a purpose"
  }
  assert {
    condition     = alltrue([for name in keys(output.buckets) : aws_s3_bucket_versioning.this[name].versioning_configuration[0].status == "Enabled"])
    error_message = "every bucket must keep versions"
  }
  assert {
    condition = alltrue([for name in keys(output.buckets) :
      one(one(aws_s3_bucket_server_side_encryption_configuration.this[name].rule).apply_server_side_encryption_by_default).sse_algorithm == (name == "access" ? "AES256" : "aws:kms")
    ])
    error_message = "every bucket must be encrypted with our key; the one of access logs with S3's, which is all that S3 can write with"
  }
  assert {
    condition = alltrue([for name in keys(output.buckets) :
      one(one(aws_s3_bucket_server_side_encryption_configuration.this[name].rule).apply_server_side_encryption_by_default).kms_master_key_id == output.key_arn if name != "access"
    ])
    error_message = "every bucket with data must be encrypted with our own key"
  }
  assert {
    condition = alltrue([for name in keys(output.buckets) : alltrue([
      aws_s3_bucket_public_access_block.this[name].block_public_acls,
      aws_s3_bucket_public_access_block.this[name].block_public_policy,
      aws_s3_bucket_public_access_block.this[name].ignore_public_acls,
      aws_s3_bucket_public_access_block.this[name].restrict_public_buckets,
    ])])
    error_message = "no bucket may be made public, by policy or by list"
  }
  assert {
    condition = alltrue([for name in keys(output.buckets) : anytrue([for statement in jsondecode(aws_s3_bucket_policy.this[name].policy).Statement :
      statement.Effect == "Deny" && statement.Principal == { AWS = "*" } && statement.Action == "s3:*" && statement.Condition == { Bool = { "aws:SecureTransport" = "false" } } && length(statement.Resource) == 2
    ])])
    error_message = "every bucket must refuse what does not come by TLS"
  }
  assert {
    condition     = alltrue([for name in setsubtract(keys(output.buckets), ["access"]) : aws_s3_bucket_logging.this[name].target_bucket == output.buckets["access"]])
    error_message = "reads and writes of every bucket with data must be logged"
  }
  assert {
    condition     = toset([for name, lifecycle in aws_s3_bucket_lifecycle_configuration.this : name if anytrue([for rule in lifecycle.rule : rule.id == "expire"])]) == toset(["work", "access"])
    error_message = "tables, features, models and records must stay until somebody deletes them"
  }
  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : bucket.force_destroy != true])
    error_message = "terraform destroy must not empty a bucket"
  }
}

