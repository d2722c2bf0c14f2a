# What AWS would answer where the provider checks the form of an answer.
mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:mock" }
}
mock_resource "aws_db_instance" {
  defaults = { address = "mlflow.mock.eu-central-1.rds.amazonaws.com" }
}
mock_resource "aws_eks_cluster" {
  defaults = {
    arn      = "arn:aws:eks:eu-central-1:111122223333:cluster/adloop-test"
    identity = [{ oidc = [{ issuer = "https://oidc.eks.eu-central-1.amazonaws.com/id/1" }] }]
  }
}
mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/1" }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
}
mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000" }
}
mock_resource "aws_msk_cluster" {
  defaults = { arn = "arn:aws:kafka:eu-central-1:111122223333:cluster/mock/1" }
}
mock_resource "aws_msk_configuration" {
  defaults = { arn = "arn:aws:kafka:eu-central-1:111122223333:configuration/mock/1" }
}
mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:mock" }
}
mock_resource "aws_secretsmanager_secret_version" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:mock" }
}
