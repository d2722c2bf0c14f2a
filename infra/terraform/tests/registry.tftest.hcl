mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

run "images_are_immutable_scanned_and_encrypted" {
  command = plan
  variables {
    name = "adloop"
  }
  module {
    source = "./modules/registry"
  }
  assert {
    condition     = toset(keys(output.repositories)) == toset(["server", "trainer"])
    error_message = "infra/images builds these two"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "a tag must mean the same image for ever"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_scanning_configuration[0].scan_on_push])
    error_message = "images must be scanned when they are pushed"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.encryption_configuration[0].kms_key == output.key_arn])
    error_message = "images must be encrypted with our own key"
  }
}

run "only_the_main_branch_pushes_and_only_to_these_repositories" {
  command = plan
  variables {
    provider_arn    = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
    repository      = "acme/adloop"
    repository_arns = ["arn:aws:ecr:eu-central-1:111122223333:repository/adloop/server"]
  }
  module {
    source = "./modules/builder"
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/adloop:ref:refs/heads/main"
    error_message = "no other repository, branch or pull request may push"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement :
      statement.Action == "ecr:GetAuthorizationToken" || statement.Resource == ["arn:aws:ecr:eu-central-1:111122223333:repository/adloop/server"]
    ])
    error_message = "the builder may touch its repositories only"
  }
  assert {
    condition     = length(regexall("Delete|\\*\"", join("", [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : jsonencode(statement.Action)]))) == 0
    error_message = "the builder may delete nothing, and its actions are named one by one"
  }
}
