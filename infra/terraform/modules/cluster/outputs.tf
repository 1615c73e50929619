output "name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "issuer" {
  description = "OIDC issuer of the cluster's service accounts."
  value       = aws_eks_cluster.this.identity[0].oidc[0].issuer
}
