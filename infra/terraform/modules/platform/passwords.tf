# Passwords are made by AWS, go from there into secrets and stores, and are written to no state and no plan.
ephemeral "aws_secretsmanager_random_password" "new" {
  password_length     = 40
  exclude_punctuation = true # it goes into an address
}

resource "aws_secretsmanager_secret_version" "postgres" {
  secret_id                = module.secrets.arns["postgres"]
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.new.random_password
  secret_string_wo_version = var.password_version
}

# The database gets the password that is kept, also where an earlier apply ended between the two.
ephemeral "aws_secretsmanager_secret_version" "postgres" {
  secret_id  = aws_secretsmanager_secret_version.postgres.secret_id
  version_id = aws_secretsmanager_secret_version.postgres.version_id
}

resource "aws_secretsmanager_secret_version" "mlflow_database" {
  secret_id                = module.secrets.arns["mlflow-database"]
  secret_string_wo         = "postgresql+psycopg://mlflow:${ephemeral.aws_secretsmanager_secret_version.postgres.secret_string}@${module.data.postgres_address}:5432/mlflow?sslmode=require"
  secret_string_wo_version = var.password_version
}
