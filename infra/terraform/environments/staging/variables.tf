variable "region" {
  description = "Where all of it stands."
  type        = string
}

variable "bucket" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in two zones."
  type        = list(string)
}
