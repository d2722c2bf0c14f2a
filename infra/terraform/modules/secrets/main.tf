# Places for secrets. No value passes through here: docs/operations.md says which command puts each in.
data "aws_caller_identity" "this" {}

module "key" {
  source  = "../key"
  name    = var.name
  purpose = "secrets"
}

locals {
  secrets = {
    signing-key     = "private Ed25519 key, PEM, that signs bundles: ADLOOP_SIGNING_KEY"
    verify-key      = "its public key, PEM: ADLOOP_VERIFY_KEY"
    api-keys        = "hashes of the keys of clients, the file that `adloop key` writes: ADLOOP_API_KEYS"
    release-key     = "key with the scope predict, of releases: ADLOOP_API_KEY"
    metrics-key     = "key with the scope metrics, of Prometheus"
    redis           = "address of Redis with its password: ADLOOP_REDIS_URL"
    mlflow-database = "address of MLflow's database with its password: MLFLOW_BACKEND_STORE_URI"
    postgres        = "that password; AWS makes it"
  }
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Each needs its servers restarted, or its old value kept for a while: docs/operations.md rotates them
  for_each                = local.secrets
  name                    = "${var.name}/${each.key}"
  description             = each.value
  kms_key_id              = module.key.arn
  recovery_window_in_days = 30
}
