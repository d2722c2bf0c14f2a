variable "name" {
  description = "Name of the environment, for example adloop-staging."
  type        = string
}

variable "kubernetes_version" {
  type    = string
  default = "1.34"
}

variable "subnet_ids" {
  description = "Private subnets, one a zone."
  type        = list(string)
}

variable "api_cidrs" {
  description = "Addresses outside the network that may reach the Kubernetes API; none by default."
  type        = list(string)
  default     = []

  validation {
    condition     = !contains(var.api_cidrs, "0.0.0.0/0")
    error_message = "api_cidrs must not open the Kubernetes API to everybody: name your own addresses, or reach it from inside the network."
  }
}

variable "administrators" {
  description = "ARNs of the IAM roles that may do everything in the cluster."
  type        = set(string)
}

variable "log_key_arn" {
  description = "KMS key of the control plane's log."
  type        = string
}

variable "pools" {
  description = "Pools of nodes. Spot pools have the label and the taint adloop/capacity=spot, GPU pools the taint nvidia.com/gpu. A pool without a taint must have nodes at all times: what is not for a spot pool runs there."
  type = map(object({
    spot           = bool
    gpu            = optional(bool, false)
    instance_types = list(string)
    min            = number
    max            = number
    disk_gib       = optional(number, 100)
  }))

  validation {
    condition     = anytrue([for pool in var.pools : !pool.spot && !pool.gpu && pool.min >= 3])
    error_message = "pools must hold an on-demand pool without GPUs with min of 3 or more, a node a zone: serving runs there."
  }
  validation {
    condition     = alltrue(flatten([for pool in var.pools : [for type in pool.instance_types : !startswith(type, "p3.")] if pool.gpu]))
    error_message = "GPU pools need Turing or newer (g4dn, g5, g6, ...): the CUDA 13 build of torch does not run on p3's V100."
  }
}
