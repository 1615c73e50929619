"""Packs: many pieces of content in one file, so that millions of pictures are read in sequence.

`packs/<id>.pack` is the bytes, one piece after the other; `packs/<id>.idx` says where each lies and is
written last, so a pack without it does not exist for anybody. Neither is ever changed. An entry of an
index is 44 bytes, big-endian: sha256 (32), start (8), length (4); the id is the sha256 of the index, so
that one cut or changed is known for what it is: its pack does not exist either, and is written again.
"""

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vultus.storage.files import Files

logger = logging.getLogger(__name__)

FOLDER = "packs"
_ENTRY = np.dtype([("head", ">u8"), ("rest", "V24"), ("start", ">u8"), ("length", ">u4")])


@dataclass(frozen=True)
class Place:
    """Where one piece lies."""

    pack: str
    start: int
    length: int


def write_pack(
    files: Files,
    pieces: Sequence[bytes | memoryview],
    digests: Sequence[bytes],
    block: memoryview | None = None,
) -> str:
    """Write one pack and its index.

    Args:
        pieces: the content; digests: the 32-byte sha256 of each.
        block: the pieces once more, in one.
    Returns: the pack's id. Raises: StorageUnavailable; no reader sees the pack then.
    """
    index = bytearray()
    start = 0
    for piece, digest in zip(pieces, digests, strict=True):
        index += digest + start.to_bytes(8, "big") + len(piece).to_bytes(4, "big")
        start += len(piece)
    name = hashlib.sha256(index).hexdigest()
    files.write(f"{FOLDER}/{name}.pack", pieces if block is None else [block])
    files.write(f"{FOLDER}/{name}.idx", [bytes(index)])
    return name


_PLACE = np.dtype([("pack", "i4"), ("start", "i8"), ("length", "u4")])


@dataclass(frozen=True)
class _Run:
    """Entries of some indices, sorted by the first 8 bytes of the sha256: 24 bytes a piece."""

    heads: NDArray[np.uint64]
    places: NDArray[np.void]

    @classmethod
    def of(cls, heads: NDArray[np.uint64], places: NDArray[np.void]) -> Self:
        """The same entries, sorted."""
        order = np.argsort(heads, kind="stable")
        return cls(heads[order], places[order])


@dataclass(frozen=True)
class _Known:
    """All indices: runs whose lengths at least halve, so that a new pack costs no sort of everything."""

    packs: tuple[str, ...] = ()
    runs: tuple[_Run, ...] = ()

    def joined(self, packs: Sequence[str], run: _Run) -> "_Known":
        """With the entries of these packs."""
        runs = list(self.runs)
        while runs and len(runs[-1].heads) < 2 * len(run.heads):
            last = runs.pop()
            heads = np.concatenate([last.heads, run.heads])
            run = _Run.of(heads, np.concatenate([last.places, run.places]))
        return _Known((*self.packs, *packs), (*runs, run))


class PackIndex:
    """Finds pieces in the packs of a store; safe with several threads."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._known = _Known()
        self._lock = threading.Lock()

    def find(self, digest: bytes) -> list[Place]:
        """Places whose content may be of that sha256 (32 bytes): nearly always none or one."""
        known = self._known
        head = np.uint64(int.from_bytes(digest[:8], "big"))
        found = []
        for run in known.runs:
            low = int(np.searchsorted(run.heads, head, side="left"))
            high = int(np.searchsorted(run.heads, head, side="right"))
            found += [
                Place(known.packs[pack], start, length)
                for pack, start, length in run.places[low:high].tolist()
            ]
        return found

    def holds(self, heads: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """For each first 8 bytes of a sha256, whether a pack has such a piece."""
        there = np.zeros(len(heads), np.bool_)
        for run in self._known.runs:
            near = np.minimum(np.searchsorted(run.heads, heads), len(run.heads) - 1)
            there |= run.heads[near] == heads
        return there

    def refresh(self) -> bool:
        """Take in the packs that came since. Returns: whether any did. Raises: StorageUnavailable."""
        with self._lock:
            names = self._files.names(FOLDER)
            if names is None:
                return False
            known = self._known
            whole = {name.removesuffix(".pack") for name in names if name.endswith(".pack")}
            finished = {name.removesuffix(".idx") for name in names if name.endswith(".idx")}
            read = {name: self._entries(name) for name in (whole & finished) - set(known.packs)}
            new = {name: read[name] for name in sorted(read) if read[name] is not None}
            if not new:
                return False
            parts = [
                _placed(entry, number)
                for number, entry in enumerate(new.values(), len(known.packs))
                if entry is not None
            ]
            heads, places = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            self._known = known.joined(list(new), _Run.of(heads, places))
            return True

    def _entries(self, name: str) -> NDArray[np.void] | None:
        """What one index says; None, if it is not what was written."""
        data = self._files.read(f"{FOLDER}/{name}.idx")
        if data is None or hashlib.sha256(data).hexdigest() != name:
            logger.warning("an index of the store is unreadable", extra={"pack": name})
            return None
        return np.frombuffer(data, _ENTRY)


def _placed(entry: NDArray[np.void], pack: int) -> tuple[NDArray[np.uint64], NDArray[np.void]]:
    """Heads and places of one index."""
    places = np.zeros(len(entry), _PLACE)
    places["pack"], places["start"], places["length"] = pack, entry["start"], entry["length"]
    return entry["head"].astype(np.uint64), places
