variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the database."
  type        = list(string)
}

variable "database_class" {
  description = "Size of MLflow's database."
  type        = string
  default     = "db.t4g.small"
}

variable "forget_days" {
  description = "Days after which an overwritten or deleted object is gone for good."
  type        = number
  default     = 7
}

variable "protected" {
  description = "Whether the database resists deletion."
  type        = bool
  default     = true
}
