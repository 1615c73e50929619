"""`s3://bucket/prefix`: the folder of folders, in a bucket."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from components.ingest.source import Item, Refused
from vultus.errors import BadSource
from vultus.storage import S3Store
from vultus.storage.s3 import S3Address


class BucketSource:
    """Keys `<prefix>/…/<subject>/<picture>`."""

    licence = "unknown"

    def __init__(self, address: S3Address) -> None:
        self._address = address
        self.name = str(address)
        self._bucket = S3Store(address)

    def items(self) -> tuple[Sequence[Item], Sequence[Refused]]:
        """Keys in sorted order. Raises: BadSource, StorageUnavailable."""
        keys = [PurePosixPath(key) for key in self._bucket.keys() if not key.endswith("/")]  # noqa: SIM118
        found = [Item(origin=str(key), subject=key.parent.name) for key in keys if key.parent.name]
        if not found:
            raise BadSource(f"{self._address} holds no keys of the form <subject>/<picture>")
        return found, []

    def read(self, item: Item) -> bytes:
        """The object's bytes. Raises: StorageUnavailable."""
        return self._bucket.read(item.origin)

    def __reduce__(self) -> tuple[type["BucketSource"], tuple[S3Address]]:
        return BucketSource, (self._address,)
