variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "oidc" {
  description = "The cluster's identity provider: its ARN, and its address without https://."
  type        = object({ arn = string, issuer = string })
}

variable "cluster" {
  type = object({ name = string, arn = string })
}

variable "buckets" {
  description = "Name of the bucket of each purpose."
  type        = map(string)
}

variable "storage_key_arn" {
  type = string
}

variable "secret_arns" {
  description = "ARN of each secret."
  type        = map(string)
}

variable "secrets_key_arn" {
  type = string
}

variable "github" {
  description = "Who deploys: GitHub's identity provider in this account, the repository (owner/name), its environment, and which repositories of images it reads."
  type        = object({ provider_arn = string, repository = string, environment = string, image_arns = list(string) })
}
