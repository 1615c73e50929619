"""vultus: face authentication that one can train, trust and run."""

__version__ = "0.1.0"
