variable "name" {
  description = "Name of the role."
  type        = string
}

variable "oidc" {
  description = "The cluster's identity provider: its ARN, and its address without https://."
  type        = object({ arn = string, issuer = string })
}

variable "namespace" {
  type = string
}

variable "account" {
  description = "Name of the service account."
  type        = string
}
