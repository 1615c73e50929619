"""PAD networks: a backbone, perhaps a frequency branch, a classifier; heads for the training alone."""
