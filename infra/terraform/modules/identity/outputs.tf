output "roles" {
  description = "Role of each service account, for its annotation eks.amazonaws.com/role-arn."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}
