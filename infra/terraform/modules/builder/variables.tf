variable "provider_arn" {
  description = "GitHub's identity provider in this account."
  type        = string
}

variable "repository" {
  description = "GitHub repository, owner/name."
  type        = string
}

variable "repository_arns" {
  description = "Repositories that images are pushed to."
  type        = list(string)
}
