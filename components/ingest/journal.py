"""What an ingest has taken so far: finished pieces of work on disk, so that a killed run goes on and a
grown source is read only where it is new.

A part a piece of work, kept after the bytes it speaks of are in the store. Where a part is lost, its
pictures are read again.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pyarrow as pa

from components.code import code_of
from components.ingest.params import IngestParams
from components.parts import KEY_BYTES, Parts
from vultus.contracts.faces import FACE_SCHEMA
from vultus.errors import BadParameter

JOURNAL_SCHEMA = pa.schema(
    [
        pa.field("item", pa.binary(KEY_BYTES), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        *(field.with_nullable(True) for field in FACE_SCHEMA if field.name != "split"),
    ]
)
"""A row a picture; one with a reason was refused. The split is dealt when the table is put together."""
_CODE = ("components/ingest", "vultus/attacks", "vultus/faces", "vultus/synthetic")


class Journal(Parts):
    """The pieces of one source, taken with the same params, key and code."""

    @classmethod
    def below(cls, root: Path, params: IngestParams, key: bytes) -> Self:
        """The journal of these params: whatever decides a row names the folder."""
        facts = params.model_dump_json(include=params.deciding_rows())
        named = hashlib.sha256(f"{facts}{code_of(*_CODE)}".encode() + hashlib.sha256(key).digest())
        return cls(root / named.hexdigest()[:16], JOURNAL_SCHEMA, "item")

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Make the folder and keep others out.

        Raises: BadParameter, if another ingest is in it; StorageUnavailable.
        """
        try:
            with super().held():
                yield self
        except BlockingIOError as error:
            raise BadParameter(
                "another ingest of the same source is under way; wait for it to end"
            ) from error


def item_key(origin: str, fingerprint: str, key: bytes) -> bytes:
    """Names one state of one picture; keyed, because an origin may hold a person's name."""
    text = f"{origin}\0{fingerprint}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, key=key[:64], digest_size=KEY_BYTES).digest()
