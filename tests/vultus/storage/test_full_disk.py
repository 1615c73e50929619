"""A disk without room: nothing half-written is ever read, and the message says what to do."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from support.small_disk import free_bytes, small_disk, small_files
from vultus.contracts.artifact import Artifact
from vultus.contracts.faces import QUARANTINE_SCHEMA
from vultus.contracts.parts import write_parts
from vultus.errors import StorageUnavailable
from vultus.storage import FolderStore


class Held(Artifact):
    """Any artifact will do."""

    SCHEMA = "Held"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 4) as place:
        yield place


def test_a_store_keeps_what_it_said_it_kept(disk: Path) -> None:
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(500_000))
    store, kept = FolderStore(disk / "store"), {}
    pieces = iter([os.urandom(100_000) for _ in range(100)])
    while (answer := _put(store, data := next(pieces))) is not None:
        kept[answer] = data
    with pytest.raises(StorageUnavailable, match="No space left on device; free space"):
        store.put(data)
    again = FolderStore(disk / "store")
    assert len(kept) > 20
    assert all(again.get(digest) == piece for digest, piece in kept.items())
    assert not again.has(hashlib.sha256(data).hexdigest()), "half of it is not there either"
    ballast.unlink()
    assert again.get(again.put(data)) == data


def test_many_pieces_stop_at_the_first_that_finds_no_room(disk: Path) -> None:
    store = FolderStore(disk / "store")
    pieces = [os.urandom(1_000_000) for _ in range(6)]
    with pytest.raises(StorageUnavailable, match="free space"):
        store.put_many(pieces)
    for piece in pieces:
        digest = hashlib.sha256(piece).hexdigest()
        assert not store.has(digest) or store.get(digest) == piece


@pytest.mark.parametrize("size", [3_900_000, 8_000_000], ids=["manifest", "file"])
def test_an_artifact_appears_whole_or_not_at_all(disk: Path, size: int) -> None:
    def fill(folder: Path) -> None:
        (folder / "big.bin").write_bytes(os.urandom(size))

    def leave_little() -> None:
        room = free_bytes(disk)
        (disk / "other").write_bytes(b"x" * max(0, room - 3_901_000))

    leave_little()
    with pytest.raises(StorageUnavailable, match=r"cannot write .*out.*free space"):
        Held.create(disk / "out", fill, made_by="test", facts={"long": "x" * 100_000})
    assert sorted(file.name for file in disk.iterdir()) == ["other"]
    (disk / "other").unlink()
    Held.create(disk / "out", lambda folder: None, made_by="test")
    Held.open(disk / "out")


def test_an_earlier_artifact_outlives_a_failed_rewrite(disk: Path) -> None:
    first = Held.create(disk / "out", lambda folder: _fill(folder / "a", 9), made_by="test").digest
    with pytest.raises(StorageUnavailable):
        Held.create(disk / "out", lambda folder: _fill(folder / "a", 8_000_000), made_by="test")
    assert Held.open(disk / "out").digest == first


def test_a_table_without_room_is_said_so(disk: Path) -> None:
    noise = [os.urandom(50_000).hex() for _ in range(100)]
    table = pa.table({"origin": noise, "reason": noise, "detail": noise}, QUARANTINE_SCHEMA)
    with pytest.raises(StorageUnavailable, match="free space"):
        Held.create(
            disk / "out",
            lambda folder: _write_rows(table, folder),
            made_by="test",
        )
    assert list(disk.iterdir()) == []


def test_a_limit_of_files_is_a_full_disk_too(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    with small_files(1), pytest.raises(StorageUnavailable, match="File too large; free space"):
        store.put(os.urandom(2 << 20))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def _put(store: FolderStore, data: bytes) -> str | None:
    try:
        return store.put(data)
    except StorageUnavailable:
        return None


def _write_rows(table: pa.Table, folder: Path) -> None:
    write_parts(table, QUARANTINE_SCHEMA, folder / "rows")


def _fill(file: Path, size: int) -> None:
    file.write_bytes(os.urandom(size))
