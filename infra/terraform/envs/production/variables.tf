variable "region" {
  description = "For example eu-central-1."
  type        = string
}

variable "administrators" {
  description = "ARNs of the IAM roles that may do everything in the cluster."
  type        = set(string)
}

variable "api_cidrs" {
  description = "Addresses outside the network that may reach the Kubernetes API; none: only from inside."
  type        = list(string)
  default     = []
}

variable "repository" {
  description = "GitHub repository that deploys, owner/name."
  type        = string
}

variable "password_version" {
  description = "Raise it by one to replace the passwords of PostgreSQL and Kafka."
  type        = number
  default     = 1
}
