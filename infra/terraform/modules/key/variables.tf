variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "purpose" {
  description = "What the key encrypts, in one word."
  type        = string
}

variable "services" {
  description = "AWS services that encrypt with it without a role of ours, such as logs.eu-central-1.amazonaws.com."
  type        = list(string)
  default     = []
}
