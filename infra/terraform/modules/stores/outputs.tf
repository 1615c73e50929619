output "bucket_arn" {
  description = "The bucket."
  value       = aws_s3_bucket.this.arn
}

output "key_arn" {
  description = "The key everything is encrypted with."
  value       = aws_kms_key.this.arn
}

output "database" {
  description = "Host and port of MLflow's database."
  value       = aws_db_instance.mlflow.endpoint
}

output "database_secret_arn" {
  description = "Where the database's password lies; it is in no state file."
  value       = aws_db_instance.mlflow.master_user_secret[0].secret_arn
}
