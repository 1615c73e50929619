"""`s3://bucket/prefix`: the folder of folders, in a bucket."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from components.ingest.source import Item, Refused
from vultus.errors import BadSource, StorageUnavailable
from vultus.storage.s3 import BucketFiles, S3Address


class BucketSource:
    """Keys `<prefix>/…/<subject>/<picture>`."""

    licence = "unknown"

    def __init__(self, address: S3Address) -> None:
        self._address = address
        self.name = str(address)
        self._bucket = BucketFiles(address)

    def items(self) -> Iterator[Item | Refused]:
        """Keys in sorted order. Raises: BadSource, StorageUnavailable."""
        found = False
        for key in self._bucket.keys():  # noqa: SIM118 -- a method, no dictionary
            subject = PurePosixPath(key).parent.name
            if subject and not key.endswith("/"):
                found = True
                yield Item(origin=key, subject=subject)
        if not found:
            raise BadSource(f"{self._address} holds no keys of the form <subject>/<picture>")

    def read(self, item: Item) -> bytes:
        """The object's bytes. Raises: StorageUnavailable."""
        data = self._bucket.read(item.origin)
        if data is None:
            raise StorageUnavailable(f"{self._address}{item.origin} vanished while it was read")
        return data

    def __reduce__(self) -> tuple[type["BucketSource"], tuple[S3Address]]:
        return BucketSource, (self._address,)
