variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "region" {
  type = string
}

variable "zones" {
  description = "Three availability zones of the region, for example eu-central-1a."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "zones must name three different availability zones: serving survives the loss of one."
  }
}

variable "cidr" {
  description = "Addresses of the network, a /16."
  type        = string
  default     = "10.0.0.0/16"
}

variable "nat_gateways" {
  description = "1 is cheaper; with 3 no zone depends on another."
  type        = number

  validation {
    condition     = contains([1, 3], var.nat_gateways)
    error_message = "nat_gateways must be 1 (one zone carries the others' traffic) or 3 (one a zone)."
  }
}

variable "key_arn" {
  description = "KMS key of the flow log."
  type        = string
}
