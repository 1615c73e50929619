variable "name" {
  description = "Prefix of names."
  type        = string
}

variable "issuer" {
  description = "OIDC issuer of the cluster."
  type        = string
}

variable "bucket_arn" {
  description = "The bucket that accounts reach."
  type        = string
}

variable "key_arn" {
  description = "The key that the bucket is encrypted with."
  type        = string
}

variable "accounts" {
  description = "Service accounts by name: their namespace, and whether they write."
  type = map(object({
    namespace = string
    writes    = bool
  }))
}
