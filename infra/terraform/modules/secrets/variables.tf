variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "register_role_arn" {
  description = "The only role that may read the signing key."
  type        = string
}
