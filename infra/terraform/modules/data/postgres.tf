resource "aws_db_instance" "mlflow" {
  #checkov:skip=CKV_AWS_118:Performance Insights shows what a database this small needs to be seen of
  identifier                            = "${var.name}-mlflow"
  engine                                = "postgres"
  engine_version                        = "17"
  instance_class                        = var.postgres_instance_class
  allocated_storage                     = 20
  max_allocated_storage                 = 200
  storage_type                          = "gp3"
  storage_encrypted                     = true
  kms_key_id                            = module.key.arn
  db_name                               = "mlflow"
  username                              = "mlflow"
  password_wo                           = var.postgres_password
  password_wo_version                   = var.password_version
  iam_database_authentication_enabled   = true # for people; MLflow cannot renew such a token
  multi_az                              = var.postgres_multi_az
  publicly_accessible                   = false
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  vpc_security_group_ids                = [aws_security_group.this["postgres"].id]
  parameter_group_name                  = aws_db_parameter_group.this.name
  backup_retention_period               = var.backup_days
  backup_window                         = "01:00-02:00"
  maintenance_window                    = "sun:02:30-sun:03:30"
  auto_minor_version_upgrade            = true
  copy_tags_to_snapshot                 = true
  deletion_protection                   = true
  final_snapshot_identifier             = "${var.name}-mlflow-last"
  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = module.key.arn
  performance_insights_retention_period = 7
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.name}-mlflow"
  family = "postgres17"
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}
