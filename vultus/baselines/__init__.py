"""Third-party systems behind the protocols of `vultus.contracts.seams`. Import from the modules."""
