"""What a step keeps for its next run: Arrow tables in a folder, each there whole or not at all.

One Arrow stream a part, followed by its sha256, on the disk before its name is. A part that does not
have its sha256 all the same (torn, zeroed, changed) is dropped, and what it told is made again. Such a
folder is the step's own state, lies in the home and is never handed on.
"""

import fcntl
import hashlib
import logging
import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus.contracts.writing import sync_folder, write_through
from vultus.errors import StorageUnavailable

logger = logging.getLogger(__name__)

KEY_BYTES = 16
Keys = NDArray[np.bytes_]
_SUM_BYTES = 32
_PACKED = pa.ipc.IpcWriteOptions(compression="zstd", use_threads=False)
_SLICE = 2048
_PARTS_READ = 4
"""A table in the order of the parts needs two; one that grew in between reads some again."""


@dataclass(frozen=True)
class Parts:
    """Rows of `schema`, named by its column `key` (binary of KEY_BYTES)."""

    folder: Path
    schema: pa.Schema
    key: str

    def files(self) -> list[Path]:
        """The finished parts, in an order that does not change."""
        return sorted(self.folder.glob("part-*.arrow"))

    def add(self, rows: pa.Table) -> Path:
        """Keep one part. Raises: StorageUnavailable; nothing half-written stays then."""
        name = hashlib.sha256(keys_of(rows[self.key]).tobytes()).hexdigest()[:32]
        place = self.folder / f"part-{name}.arrow"
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema, options=_PACKED) as stream:
            stream.write_table(rows)
        body = memoryview(sink.getvalue())
        try:
            handle, partial = tempfile.mkstemp(dir=self.folder, prefix=".partial-")
            try:
                with os.fdopen(handle, "wb", buffering=0) as file:
                    write_through(file.fileno(), [bytes(body), hashlib.sha256(body).digest()])
                Path(partial).replace(place)
                sync_folder(self.folder)
            finally:
                Path(partial).unlink(missing_ok=True)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write to {self.folder}: {error}; free space, then run again"
            ) from error
        return place

    def stream(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns, part by part."""
        for file in self.files():
            yield read_part(file, columns)

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Make the folder, keep others out, and drop what a killed run left.

        Raises: BlockingIOError, if somebody is in it; StorageUnavailable.
        """
        with self._locked() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._tidy()
            yield self

    @contextmanager
    def shared(self) -> Iterator[Self]:
        """The same for runs that may be in it together: who is alone at first drops what was left.

        Raises: StorageUnavailable.
        """
        with self._locked() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._tidy()
            except BlockingIOError:
                logger.info("another run keeps its parts in the same folder")
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield self

    @contextmanager
    def _locked(self) -> Iterator[int]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageUnavailable(f"cannot write to {self.folder}: {error}") from error
        try:
            yield lock
        finally:
            os.close(lock)

    def _tidy(self) -> None:
        """Remove what was not finished, and the parts that are not what was written."""
        for left in self.folder.glob(".partial-*"):
            left.unlink()
        for file in self.files():
            data = file.read_bytes()
            if hashlib.sha256(memoryview(data)[:-_SUM_BYTES]).digest() != data[-_SUM_BYTES:]:
                logger.warning(
                    "a part of the journal is unreadable; its pictures are read again",
                    extra={"part": file.name},
                )
                file.unlink()


def read_part(file: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Some columns of one part, or all."""
    with pa.OSFile(str(file)) as stream:
        names = pa.ipc.read_schema(stream).names
        fields = None if columns is None else [names.index(column) for column in columns]
        options = pa.ipc.IpcReadOptions(included_fields=fields, use_threads=False)
        stream.seek(0)
        table = pa.ipc.open_stream(stream, options=options).read_all()
    return table if columns is None else table.select(list(columns))


def gather(
    files: Sequence[Path],
    part: NDArray[np.int32],
    row: NDArray[np.int32],
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Rows of parts in any order, 2,048 at a time; a part is read once where they follow each other.

    Args:
        files: the parts.
        part, row: int32 [N]: place in `files`, and in that part.
        columns: some of them; None: all.
    """
    kept: OrderedDict[int, pa.Table] = OrderedDict()
    for start in range(0, len(part), _SLICE):
        parts, rows = part[start : start + _SLICE], row[start : start + _SLICE]
        tables: list[pa.Table] = []
        places: list[NDArray[np.int64]] = []
        for number in dict.fromkeys(parts.tolist()):
            if number not in kept:
                kept[number] = read_part(files[number], columns)
                if len(kept) > _PARTS_READ:
                    kept.popitem(last=False)
            here = np.flatnonzero(parts == number)
            tables.append(kept[number].take(pa.array(rows[here])))
            places.append(here)
        back = np.argsort(np.concatenate(places), kind="stable")
        yield pa.concat_tables(tables).take(pa.array(back))
        # Arrow keeps what it was once given: parts of many sizes would add up.
        pa.default_memory_pool().release_unused()


def keys_of(column: pa.ChunkedArray) -> Keys:
    """A column of keys as one array that can be sorted and searched."""
    parts = [np.frombuffer(b"", f"S{KEY_BYTES}")]
    for chunk in column.chunks:
        bytes_before = chunk.offset * KEY_BYTES
        parts.append(np.frombuffer(chunk.buffers()[1], parts[0].dtype, len(chunk), bytes_before))
    return np.concatenate(parts)
