"""The `vultus` command."""

from pipelines.cli.app import app

__all__ = ["app"]
