"""`s3://bucket/prefix`: the folder of folders, in a bucket."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import PurePosixPath

from components.ingest.files import is_side_file
from components.ingest.source import Answer, Item, Refused, Room, own_room
from vultus.errors import BadInput, BadSource
from vultus.storage.bucket import PIECE_BYTES, Bucket, Found
from vultus.storage.s3 import S3Address

_READS_AT_ONCE = 8
_AHEAD_ITEMS, _AHEAD_BYTES = 32, 64 << 20


class BucketSource:
    """Keys `<prefix>/…/<subject>/<picture>`; the fingerprint is ETag and size."""

    def __init__(
        self, address: S3Address, licence: str = "unknown", piece_bytes: int = PIECE_BYTES
    ) -> None:
        self._address = address
        self._piece_bytes = piece_bytes
        self.licence = licence
        self.name = str(address)
        self._bucket = Bucket(address, piece_bytes)

    def items(self) -> Iterator[Item | Refused]:
        """Keys in the server's sorted order. Raises: BadSource, StorageUnavailable."""
        found = False
        for entry in self._bucket.objects():
            place = PurePosixPath(entry.key)
            if place.parent.name and not entry.key.endswith("/") and not is_side_file(place.name):
                found = True
                yield Item(entry.key, place.parent.name, fingerprint=f"{entry.etag}:{entry.size}")
        if not found:
            raise BadSource(f"{self._address} holds no keys of the form <subject>/<picture>")

    def read(self, item: Item) -> bytes:
        """The object as it was listed. Raises: SourceChanged, SourceVanished, StorageUnavailable."""
        return self._bucket.read(_found(item))

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """Eight requests under way, at most 64 MiB ahead of the reader (but one object always)."""
        waiting: deque[tuple[Item, Future[bytes]]] = deque()
        held = 0
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            try:
                for item in items:
                    waiting.append((item, pool.submit(self.read, item)))
                    held += _found(item).size
                    while len(waiting) > _AHEAD_ITEMS or (held > _AHEAD_BYTES and waiting):
                        held -= _found(waiting[0][0]).size
                        yield _outcome(*waiting.popleft())
                while waiting:
                    yield _outcome(*waiting.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def _outcome(item: Item, read: Future[bytes]) -> tuple[Item, bytes | BadInput]:
    try:
        return item, read.result()
    except BadInput as error:
        return item, error


def _found(item: Item) -> Found:
    etag, _, size = item.fingerprint.rpartition(":")
    return Found(item.origin, etag, int(size))
