output "buckets" {
  description = "Name of the bucket of each purpose."
  value       = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.id }
}

output "bucket_arns" {
  value = { for purpose, bucket in aws_s3_bucket.this : purpose => bucket.arn }
}

output "key_arn" {
  description = "The key of all buckets but that of the access logs."
  value       = module.key.arn
}
