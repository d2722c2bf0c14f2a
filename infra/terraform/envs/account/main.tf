# What an AWS account has once, for all environments: the registry, and who may push to it.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
  # The bucket is given at init; docs/operations.md makes it.
  backend "s3" {
    key          = "account.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = { project = "adloop", environment = "account" }
  }
}

variable "region" {
  description = "For example eu-central-1."
  type        = string
}

variable "repository" {
  description = "GitHub repository that builds images, owner/name."
  type        = string
}

module "registry" {
  source = "../../modules/registry"
  name   = "adloop"
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

module "builder" {
  source          = "../../modules/builder"
  provider_arn    = aws_iam_openid_connect_provider.github.arn
  repository      = var.repository
  repository_arns = module.registry.repository_arns
}

output "repositories" {
  description = "Address of the repository of each image."
  value       = module.registry.repositories
}

output "build_role_arn" {
  description = "For the variable BUILD_ROLE of the repository on GitHub."
  value       = module.builder.role_arn
}
