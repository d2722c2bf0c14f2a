variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "region" {
  type = string
}

variable "zones" {
  description = "Three availability zones of the region."
  type        = list(string)
}

variable "nat_gateways" {
  description = "1 is cheaper; with 3 no zone depends on another."
  type        = number
}

variable "api_cidrs" {
  description = "Addresses outside the network that may reach the Kubernetes API."
  type        = list(string)
}

variable "administrators" {
  description = "ARNs of the IAM roles that may do everything in the cluster."
  type        = set(string)
}

variable "pools" {
  description = "Pools of nodes, as modules/cluster describes them."
  type        = any
}

variable "backup_days" {
  type = number
}

variable "redis_node_type" {
  type = string
}

variable "postgres_instance_class" {
  type = string
}

variable "postgres_multi_az" {
  type = bool
}

variable "kafka_instance_type" {
  description = "Type of the three brokers; null for no Kafka."
  type        = string
}

variable "password_version" {
  description = "Raise it by one to replace the passwords of PostgreSQL and Kafka."
  type        = number
}

variable "github" {
  description = "Who deploys: GitHub's identity provider in this account, the repository (owner/name), its environment, and which repositories of images it reads."
  type        = object({ provider_arn = string, repository = string, environment = string, image_arns = list(string) })
}
