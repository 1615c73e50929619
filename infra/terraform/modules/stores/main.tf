# Where bytes and rows live: one bucket, encrypted and versioned, and MLflow's database.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}

resource "aws_kms_key" "this" {
  description         = "${var.name}: faces, templates and models at rest"
  enable_key_rotation = true
}

resource "aws_s3_bucket" "this" {
  bucket = var.bucket
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration {
    status = "Enabled"
  }
}

# A deleted picture must go: old versions do not outlive the time that a mistake needs to be seen.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    id     = "forget"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration {
      noncurrent_days = var.forget_days
    }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-mlflow"
  subnet_ids = var.subnet_ids
}

resource "aws_db_instance" "mlflow" {
  identifier                  = "${var.name}-mlflow"
  engine                      = "postgres"
  engine_version              = "16"
  instance_class              = var.database_class
  allocated_storage           = 20
  db_name                     = "mlflow"
  username                    = "mlflow"
  manage_master_user_password = true
  storage_encrypted           = true
  kms_key_id                  = aws_kms_key.this.arn
  db_subnet_group_name        = aws_db_subnet_group.this.name
  backup_retention_period     = 7
  deletion_protection         = var.protected
  skip_final_snapshot         = !var.protected
  final_snapshot_identifier   = var.protected ? "${var.name}-mlflow-final" : null
}
