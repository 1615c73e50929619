"""Enrolled references: encrypted at rest, searched exactly, gone when a subject is deleted."""

from vultus.gallery.gallery import Gallery

__all__ = ["Gallery"]
