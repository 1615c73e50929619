"""The seam below a content store: named bytes that appear whole or not at all."""

from collections.abc import Sequence
from typing import Protocol


class Files(Protocol):
    """A folder, or a prefix of a bucket. Names have slashes; no file is ever changed."""

    def write(self, name: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Join the pieces into one file. Raises: StorageUnavailable; nothing half-written stays."""

    def read(self, name: str) -> bytes | None:
        """The whole file; None without one. Raises: StorageUnavailable."""

    def read_range(self, name: str, start: int, length: int) -> bytes | None:
        """Some bytes of a file, fewer where it ends. Raises: StorageUnavailable."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name. Raises: StorageUnavailable."""

    def names(self, folder: str) -> Sequence[str] | None:
        """The files right below `folder`, without it; None, if nothing came or went since the last
        call. Raises: StorageUnavailable."""

    def place(self, name: str) -> str:
        """Where a person would look for the file."""
