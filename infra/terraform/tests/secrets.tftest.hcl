mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  name              = "adloop-test"
  register_role_arn = "arn:aws:iam::111122223333:role/adloop-test-register"
}

run "the_signing_key_is_denied_to_all_but_register" {
  command = plan
  module {
    source = "./modules/secrets"
  }
  assert {
    condition = jsondecode(aws_secretsmanager_secret_policy.signing_key.policy).Statement[0] == {
      Sid       = "OnlyRegisterReads"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"]
      Resource  = "*"
      Condition = { ArnNotEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/adloop-test-register" } }
    }
    error_message = "even an administrator must not read the signing key"
  }
  assert {
    condition     = aws_secretsmanager_secret_policy.signing_key.secret_arn == output.arns["signing-key"]
    error_message = "the policy must be on the signing key"
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == output.key_arn && secret.recovery_window_in_days == 30])
    error_message = "secrets must be encrypted with our own key, and come back after a wrong deletion"
  }
}


run "keys_rotate_and_belong_to_the_account" {
  command = plan
  variables {
    purpose  = "secrets"
    services = ["logs.eu-central-1.amazonaws.com"]
  }
  module {
    source = "./modules/key"
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "keys must rotate, and come back after a wrong deletion"
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_kms_key.this.policy).Statement : !(statement.Principal == "*")])
    error_message = "no key may be for everybody"
  }
}
