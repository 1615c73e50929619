# production: terraform init -backend-config=… ; terraform apply -var-file=…

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
  backend "s3" {}
}

provider "aws" {
  region = var.region
}

locals {
  name = "vultus-production"
}

module "cluster" {
  source     = "../../modules/cluster"
  name       = local.name
  subnet_ids = var.subnet_ids
  node_groups = {
    plain = { instance_types = ["m7i.xlarge"], min = 3, max = 12 }
    gpu   = { instance_types = ["g6.xlarge"], min = 0, max = 4, gpu = true }
  }
}

module "stores" {
  source         = "../../modules/stores"
  name           = local.name
  bucket         = var.bucket
  subnet_ids     = var.subnet_ids
  database_class = "db.m7g.large"
  protected      = true
}

module "identity" {
  source     = "../../modules/identity"
  name       = local.name
  issuer     = module.cluster.issuer
  bucket_arn = module.stores.bucket_arn
  key_arn    = module.stores.key_arn
  accounts = {
    vultus-pipelines  = { namespace = "vultus", writes = true }
    vultus-serving    = { namespace = "vultus", writes = false }
    vultus-monitoring = { namespace = "vultus", writes = false }
    mlflow            = { namespace = "vultus", writes = true }
  }
}

output "roles" {
  description = "Role of each service account."
  value       = module.identity.roles
}

output "database" {
  description = "MLflow's database: its address, and where its password lies."
  value = {
    endpoint = module.stores.database
    secret   = module.stores.database_secret_arn
  }
}
