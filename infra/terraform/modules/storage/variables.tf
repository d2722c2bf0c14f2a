variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}
