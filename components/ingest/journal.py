"""What an ingest has taken so far: finished pieces of work on disk, so that a killed run goes on and a
grown source is read only where it is new.

One Arrow stream a piece of work, followed by its sha256, written whole or not at all, after the bytes it
speaks of are in the store; both are on the disk by then. A part that does not have its sha256 all the
same (torn, zeroed, changed) is dropped, and its pictures are read again. It is `ingest`'s own state,
lies in the home and is never handed on.
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
from numpy.typing import NDArray

from components.code import code_of
from components.ingest.params import IngestParams
from vultus.contracts.faces import FACE_SCHEMA
from vultus.contracts.writing import sync_folder, write_through
from vultus.errors import BadParameter, StorageUnavailable

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
_SUM_BYTES = 32
_PACKED = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
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
        return sorted(self.folder.glob("part-*.arrow"))

    def add(self, rows: pa.Table) -> None:
        """Keep one finished piece. Raises: StorageUnavailable; nothing half-written stays then."""
        name = f"part-{hashlib.sha256(keys_of(rows['item']).tobytes()).hexdigest()[:32]}.arrow"
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema, options=_PACKED) as stream:
            stream.write_table(rows)
        body = memoryview(sink.getvalue())
        try:
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".partial-")
            try:
                with os.fdopen(handle, "wb", buffering=0) as file:
                    write_through(file.fileno(), [bytes(body), hashlib.sha256(body).digest()])
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
            yield read_part(file, columns)

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
        """Remove the parts that are not what was written."""
        for file in self.parts():
            data = file.read_bytes()
            if hashlib.sha256(memoryview(data)[:-_SUM_BYTES]).digest() != data[-_SUM_BYTES:]:
                logger.warning(
                    "a part of the journal is unreadable; its pictures are read again",
                    extra={"part": file.name},
                )
                file.unlink()


def read_part(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Some columns of one part, or all."""
    names = JOURNAL_SCHEMA.names
    fields = None if columns is None else [names.index(column) for column in columns]
    options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
    with pa.OSFile(str(file)) as stream:
        table = pa.ipc.open_stream(stream, options=options).read_all()
    return table if columns is None else table.select(list(columns))


def item_key(origin: str, fingerprint: str, key: bytes) -> bytes:
    """Names one state of one picture; keyed, because an origin may hold a person's name."""
    text = f"{origin}\0{fingerprint}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, key=key[:64], digest_size=ITEM_BYTES).digest()


def keys_of(column: pa.ChunkedArray) -> ItemKeys:
    """A column of item keys as one array that can be sorted and searched."""
    parts = [np.frombuffer(b"", f"S{ITEM_BYTES}")]
    for chunk in column.chunks:
        bytes_before = chunk.offset * ITEM_BYTES
        parts.append(np.frombuffer(chunk.buffers()[1], parts[0].dtype, len(chunk), bytes_before))
    return np.concatenate(parts)
