variable "name" {
  description = "Name of the cluster, and prefix of what belongs to it."
  type        = string
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes."
  type        = string
  default     = "1.32"
}

variable "subnet_ids" {
  description = "Private subnets, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "The control plane needs subnets in two zones."
  }
}

variable "node_groups" {
  description = "Groups of nodes, by name."
  type = map(object({
    instance_types = list(string)
    min            = number
    max            = number
    gpu            = optional(bool, false)
  }))
}
