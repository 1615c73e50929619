"""What an ingest has taken so far: finished pieces of work on disk, so that a killed run goes on and a
grown source is read only where it is new.

One Parquet file a piece of work, written whole or not at all, after the bytes it speaks of are in the
store; both are on the disk by then. A part that is unreadable all the same (torn, zeroed, changed) is
dropped, and its pictures are read again. It is `ingest`'s own state, lies in the home and is never
handed on.
"""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.code import code_of
from components.ingest.params import IngestParams
from vultus.contracts.faces import FACE_SCHEMA
from vultus.errors import BadParameter, StorageUnavailable
from vultus.storage.folder import sync_folder

logger = logging.getLogger(__name__)

ITEM_BYTES = 16
JOURNAL_SCHEMA = pa.schema(
    [
        pa.field("item", pa.binary(ITEM_BYTES), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        *(field.with_nullable(True) for field in FACE_SCHEMA if field.name != "split"),
    ]
)
"""A row a picture; one with a reason was refused. The split is dealt when the table is put together."""
ItemKeys = NDArray[np.bytes_]
_CODE = ("components/ingest", "vultus/attacks", "vultus/faces", "vultus/synthetic")


@dataclass(frozen=True)
class Journal:
    """The pieces of one source, taken with the same params, key and code."""

    folder: Path

    @classmethod
    def below(cls, root: Path, params: IngestParams, key: bytes) -> Self:
        """The journal of these params: whatever decides a row names the folder."""
        facts = params.model_dump_json(include=params.deciding_rows())
        named = hashlib.sha256(f"{facts}{code_of(*_CODE)}".encode() + hashlib.sha256(key).digest())
        return cls(root / named.hexdigest()[:16])

    def parts(self) -> list[Path]:
        """The finished pieces, in an order that does not change."""
        return sorted(self.folder.glob("part-*.parquet"))

    def add(self, rows: pa.Table) -> None:
        """Keep one finished piece. Raises: StorageUnavailable; nothing half-written stays then."""
        items = b"".join(item.as_py() for item in rows["item"])
        name = f"part-{hashlib.sha256(items).hexdigest()[:32]}.parquet"
        try:
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".partial-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    pq.write_table(rows, stream, compression="zstd", write_page_checksum=True)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(partial).replace(self.folder / name)
                sync_folder(self.folder)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write to {self.folder}: {error}; free space, then run again"
            ) from error

    def stream(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns, piece by piece."""
        for file in self.parts():
            yield pq.read_table(file, columns=list(columns))

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Make the folder and keep others out.

        Raises: BadParameter, if another ingest is in it; StorageUnavailable.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"cannot write to {self.folder}: {error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in self.folder.glob(".partial-*"):
                left.unlink()
            self._drop_unreadable()
            yield self
        except BlockingIOError as error:
            raise BadParameter(
                "another ingest of the same source is under way; wait for it to end"
            ) from error
        finally:
            os.close(lock)

    def _drop_unreadable(self) -> None:
        """Remove the parts that are not what was written; every page has a checksum."""
        for file in self.parts():
            try:
                rows = pq.read_table(file, page_checksum_verification=True)
                if rows.schema.equals(JOURNAL_SCHEMA):
                    continue
                why = "other columns"
            except (OSError, pa.ArrowException) as error:
                why = str(error)
            logger.warning(
                "a part of the journal is unreadable; its pictures are read again",
                extra={"part": file.name, "why": why},
            )
            file.unlink()


def item_key(origin: str, fingerprint: str, key: bytes) -> bytes:
    """Names one state of one picture; keyed, because an origin may hold a person's name."""
    text = f"{origin}\0{fingerprint}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, key=key[:64], digest_size=ITEM_BYTES).digest()


def keys_of(column: pa.ChunkedArray) -> ItemKeys:
    """A column of item keys as one array that can be sorted and searched."""
    joined = b"".join(value.as_py() for value in column) if len(column) else b""
    return np.frombuffer(joined, f"S{ITEM_BYTES}")
