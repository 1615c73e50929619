"""Blocks on their way to the store: every byte arrives, and nothing is told before it has."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from components.ingest.packing import Packer
from vultus.errors import StorageUnavailable
from vultus.storage import FolderStore

BLOCK = 64 << 10


def test_what_is_read_into_a_block_and_what_comes_from_elsewhere_arrive(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    packer = Packer(store, BLOCK)
    pieces = [os.urandom(1 + 997 * number % 30_000) for number in range(60)]
    pieces += [os.urandom(BLOCK), os.urandom(BLOCK + 1), os.urandom(3 * BLOCK), b"", b"last"]
    digests = []
    for number, piece in enumerate(pieces):
        if number % 3:
            place = packer.room(len(piece) + 1)
            place[: len(piece)] = piece
            digests.append(packer.add(place[: len(piece)]))
        else:
            digests.append(packer.add(piece))
    assert packer.end(lambda: store.has_many(digests).all()).result()
    packer.close()
    assert digests == [hashlib.sha256(piece).hexdigest() for piece in pieces]
    assert [store.get(digest) for digest in digests] == pieces


def test_room_that_is_not_used_is_given_again(tmp_path: Path) -> None:
    packer = Packer(FolderStore(tmp_path), BLOCK)
    packer.room(100)[:] = bytes(100)  # a file that was no picture
    place = packer.room(3)
    place[:] = b"yes"
    digest = packer.add(place[:2])
    packer.end(lambda: None).result()
    packer.close()
    assert FolderStore(tmp_path).get(digest) == b"ye"
    assert [file.stat().st_size for file in (tmp_path / "packs").glob("*.pack")] == [2]


class Slow(FolderStore):
    """Waits for leave to write; has no room for what begins with `no room`."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.leave = threading.Event()

    def put_block(self, block: memoryview, lengths: list[int], digests: list[bytes]) -> None:  # type: ignore[override]
        self.leave.wait(20)
        if block[:7] == b"no room":
            raise StorageUnavailable("the disk is full")
        super().put_block(block, lengths, digests)


def test_the_next_piece_is_begun_while_the_one_before_is_written(tmp_path: Path) -> None:
    store = Slow(tmp_path)
    packer = Packer(store, BLOCK)
    first = packer.add(b"first")
    before = packer.end(lambda: store.has(first))
    second = packer.add(b"second")
    after = packer.end(lambda: (store.has(first), store.has(second)))
    assert not before.done()
    store.leave.set()
    assert before.result(20)
    assert after.result(20) == (True, True)
    packer.close()


def test_what_found_no_room_is_not_remembered_and_its_neighbours_are(tmp_path: Path) -> None:
    store = Slow(tmp_path)
    store.leave.set()
    packer = Packer(store, BLOCK)
    ends = []
    remembered: list[bytes] = []
    for piece in (b"one", b"no room", b"two"):
        packer.add(piece)
        ends.append(packer.end(lambda piece=piece: remembered.append(piece)))  # type: ignore[misc]
    packer.close()
    assert [type(end.exception()) for end in ends] == [
        type(None),
        StorageUnavailable,
        type(None),
    ]
    with pytest.raises(StorageUnavailable, match="full"):
        ends[1].result()
    assert remembered == [b"one", b"two"]
