variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "region" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  description = "Subnets without a way to the internet, one a zone."
  type        = list(string)
}

variable "node_security_group_id" {
  description = "Security group of the cluster's nodes, which alone reach the stores."
  type        = string
}

variable "backup_days" {
  description = "Days that backups of Redis and PostgreSQL are kept."
  type        = number
}

variable "redis_node_type" {
  type = string
}

variable "postgres_instance_class" {
  type = string
}

variable "postgres_multi_az" {
  description = "A standby in another zone."
  type        = bool
}

variable "kafka_instance_type" {
  description = "Type of the three brokers; null for no Kafka, where outcomes come by HTTP only."
  type        = string
  default     = null
}

variable "postgres_password" {
  description = "Of MLflow's user. Never kept in the state."
  type        = string
  ephemeral   = true
}

variable "kafka_password" {
  description = "Of adloop's user. Never kept in the state."
  type        = string
  ephemeral   = true
}

variable "password_version" {
  description = "Raise it by one to replace both passwords."
  type        = number
}
