# Nothing is applied from this folder: `terraform test` runs tests/ here, against the modules and a mocked AWS.
terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
