# Who may do what in AWS: one role for each service account of infra/kubernetes, from this table. Places are a bucket and
# what is in it. Only what is in `replaces` may also be deleted, and nobody may delete an earlier version of anything.
locals {
  accounts = {
    # All steps of a run: Kubeflow has one account for them. A release records how it stands, and what came of
    # the rows that it replayed. It cannot read the key that signs: the one step that signs
    # gets it as a Secret of the cluster.
    pipeline = { reads = ["lake/*", "records/*"], writes = ["models/*", "records/records/rollout/*", "records/records/outcomes/*"], replaces = ["features/*", "work/*"], secrets = [] }
    # Servers of models, of decisions, and of texts.
    serve     = { reads = ["models/*"], writes = ["records/*"], replaces = [], secrets = [] }
    decisions = { reads = ["models/*"], writes = ["records/*"], replaces = [], secrets = [] }
    texts     = { reads = ["models/*"], writes = [], replaces = [], secrets = [] }
    # Jobs of yours that deliver tables.
    ingest = { reads = [], writes = [], replaces = ["lake/*"], secrets = [] }
    # Bring secrets into the cluster: the signing key for the step that registers, and the others.
    register = { reads = [], writes = [], replaces = [], secrets = ["signing-key"] }
    secrets  = { reads = [], writes = [], replaces = [], secrets = ["verify-key", "api-keys", "release-key", "metrics-key", "redis", "mlflow-database"] }
  }

  places = { for account, may in local.accounts : account => {
    "s3:GetObject"    = concat(may.reads, may.writes, may.replaces)
    "s3:PutObject"    = concat(may.writes, may.replaces)
    "s3:DeleteObject" = may.replaces
    # Copies of open journals carry a tag, for the storage's lifecycle.
    "s3:PutObjectTagging" = [for place in may.writes : place if startswith(place, "records/")]
  } }
  objects = { for account, places in local.places : account => { for action, where in places : action => [
    for place in where : "arn:aws:s3:::${var.buckets[split("/", place)[0]]}/${trimprefix(place, "${split("/", place)[0]}/")}"
  ] } }
  buckets = { for account, places in local.places : account => distinct([
    for place in places["s3:GetObject"] : "arn:aws:s3:::${var.buckets[split("/", place)[0]]}"
  ]) }

  statements = { for account, may in local.accounts : account => concat(
    [for action, where in local.objects[account] : { Effect = "Allow", Action = action, Resource = where } if length(where) > 0],
    [for statement in [
      { Effect = "Allow", Action = "s3:ListBucket", Resource = local.buckets[account] },
      { Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.storage_key_arn] },
    ] : statement if length(local.buckets[account]) > 0],
    [for secret in may.secrets : { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.secret_arns[secret] }],
    [for key in [var.secrets_key_arn] : { Effect = "Allow", Action = "kms:Decrypt", Resource = key } if length(may.secrets) > 0],
  ) }
}

module "account" {
  for_each  = local.accounts
  source    = "../account"
  name      = "${var.name}-${each.key}"
  oidc      = var.oidc
  namespace = "adloop"
  account   = "adloop-${each.key}"
}

resource "aws_iam_role_policy" "account" {
  for_each = local.accounts
  name     = "adloop"
  role     = module.account[each.key].name
  policy   = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })
}
