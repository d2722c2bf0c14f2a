mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name            = "adloop-test"
  oidc            = { arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks/id/1", issuer = "oidc.eks/id/1" }
  cluster         = { name = "adloop-test", arn = "arn:aws:eks:eu-central-1:111122223333:cluster/adloop-test" }
  buckets         = { lake = "b-lake", features = "b-features", models = "b-models", records = "b-records", work = "b-work", access = "b-access" }
  storage_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/storage"
  secrets_key_arn = "arn:aws:kms:eu-central-1:111122223333:key/secrets"
  secret_arns     = { for name in ["signing-key", "verify-key", "api-keys", "release-key", "metrics-key", "redis", "mlflow-database"] : name => "arn:${name}" }
  github          = { provider_arn = "arn:github", repository = "acme/adloop", environment = "staging", image_arns = ["arn:image"] }
}

run "every_account_has_its_own_places_only" {
  command = plan
  module {
    source = "./modules/identity"
  }
  assert {
    condition     = [for account, statements in local.statements : account if strcontains(jsonencode(statements), "arn:signing-key")] == ["register"]
    error_message = "the signing key is for register alone"
  }
  assert {
    condition     = [for account, objects in local.objects : account if anytrue([for place in objects["s3:PutObject"] : startswith(place, "arn:aws:s3:::b-models/")])] == ["pipeline"]
    error_message = "models are written by pipelines alone"
  }
  assert {
    condition     = [for account, objects in local.objects : account if contains(objects["s3:PutObject"], "arn:aws:s3:::b-records/*")] == ["decisions", "serve"]
    error_message = "requests and decisions are recorded by servers alone"
  }
  assert {
    condition     = [for place in local.objects["pipeline"]["s3:PutObject"] : place if startswith(place, "arn:aws:s3:::b-records/")] == ["arn:aws:s3:::b-records/records/rollout/*", "arn:aws:s3:::b-records/records/outcomes/*"]
    error_message = "of records, a pipeline writes how a release stands and what came of replayed rows"
  }
  assert {
    condition     = alltrue([for objects in local.objects : alltrue([for place in objects["s3:DeleteObject"] : !can(regex("b-(models|records|access)/", place))])])
    error_message = "nobody may delete models, records or the access log"
  }
  assert {
    condition     = alltrue(flatten([for statements in local.statements : [for statement in statements : [for action in flatten([statement.Action]) : !strcontains(action, "*")]]]))
    error_message = "actions must be named one by one"
  }
  assert {
    condition     = alltrue(flatten([for statements in local.statements : [for statement in statements : [for resource in flatten([statement.Resource]) : resource != "*"]]]))
    error_message = "no statement may be about everything"
  }
  assert {
    condition     = toset(keys(output.role_arns)) == toset(["adloop-pipeline", "adloop-serve", "adloop-decisions", "adloop-texts", "adloop-ingest", "adloop-register", "adloop-secrets"])
    error_message = "a role a service account of infra/kubernetes"
  }
  assert {
    condition     = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/adloop:environment:staging"
    error_message = "only this repository's environment may deploy"
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource] == ["arn:aws:eks:eu-central-1:111122223333:cluster/adloop-test", "*", ["arn:image"]]
    error_message = "in AWS the deploy role finds the cluster and reads images"
  }
  assert {
    condition     = toset(flatten([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Action])) == toset(["eks:DescribeCluster", "ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
    error_message = "the deploy role changes nothing in AWS"
  }
  assert {
    condition     = aws_eks_access_entry.deploy.kubernetes_groups == toset(["adloop-deploy"])
    error_message = "in the cluster it has what its group has"
  }
}


run "a_role_is_for_its_service_account_only" {
  command = plan
  variables {
    namespace = "adloop"
    account   = "adloop-serve"
  }
  module {
    source = "./modules/account"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals == { "oidc.eks/id/1:aud" = "sts.amazonaws.com", "oidc.eks/id/1:sub" = "system:serviceaccount:adloop:adloop-serve" }
    error_message = "no other account, and no other cluster, may take the role"
  }
}

