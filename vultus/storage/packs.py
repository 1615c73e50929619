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
from dataclasses import dataclass, field

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


def write_pack(files: Files, pieces: Sequence[bytes], digests: Sequence[bytes]) -> str:
    """Write one pack and its index.

    Args:
        pieces: the content; digests: the 32-byte sha256 of each.
    Returns: the pack's id. Raises: StorageUnavailable; no reader sees the pack then.
    """
    index = bytearray()
    start = 0
    for piece, digest in zip(pieces, digests, strict=True):
        index += digest + start.to_bytes(8, "big") + len(piece).to_bytes(4, "big")
        start += len(piece)
    name = hashlib.sha256(index).hexdigest()
    files.write(f"{FOLDER}/{name}.pack", pieces)
    files.write(f"{FOLDER}/{name}.idx", [bytes(index)])
    return name


@dataclass(frozen=True)
class _Merged:
    """All indices as one: 32 bytes a piece, sorted by the first 8 bytes of its sha256."""

    packs: tuple[str, ...] = ()
    heads: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    where: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))


class PackIndex:
    """Finds pieces in the packs of a store; safe with several threads."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._merged = _Merged()
        self._lock = threading.Lock()

    def find(self, digest: bytes) -> list[Place]:
        """Places whose content may be of that sha256 (32 bytes): nearly always none or one."""
        merged = self._merged
        head = np.uint64(int.from_bytes(digest[:8], "big"))
        low = int(np.searchsorted(merged.heads, head, side="left"))
        high = int(np.searchsorted(merged.heads, head, side="right"))
        return [
            Place(merged.packs[pack], start, length)
            for pack, start, length in merged.where[low:high].tolist()
        ]

    def holds(self, heads: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """For each first 8 bytes of a sha256, whether a pack has such a piece."""
        known = self._merged.heads
        if len(known) == 0:
            return np.zeros(len(heads), np.bool_)
        near = np.minimum(np.searchsorted(known, heads), len(known) - 1)
        return np.asarray(known[near] == heads, np.bool_)

    def refresh(self) -> bool:
        """Take in the packs that came since. Returns: whether any did. Raises: StorageUnavailable."""
        with self._lock:
            names = self._files.names(FOLDER)
            if names is None:
                return False
            old = self._merged
            whole = {name.removesuffix(".pack") for name in names if name.endswith(".pack")}
            finished = {name.removesuffix(".idx") for name in names if name.endswith(".idx")}
            read = {name: self._entries(name) for name in (whole & finished) - set(old.packs)}
            new = sorted(name for name, entry in read.items() if entry is not None)
            if not new:
                return False
            entries = [entry for name in new if (entry := read[name]) is not None]
            places = [
                np.stack(
                    [np.full(len(entry), number), entry["start"], entry["length"]], axis=1
                ).astype(np.int64)
                for number, entry in enumerate(entries, len(old.packs))
            ]
            heads = np.concatenate([old.heads, *(entry["head"] for entry in entries)])
            order = np.argsort(heads, kind="stable")
            self._merged = _Merged(
                packs=(*old.packs, *new),
                heads=heads[order].astype(np.uint64),
                where=np.concatenate([old.where, *places])[order],
            )
            return True

    def _entries(self, name: str) -> NDArray[np.void] | None:
        """What one index says; None, if it is not what was written."""
        data = self._files.read(f"{FOLDER}/{name}.idx")
        if data is None or hashlib.sha256(data).hexdigest() != name:
            logger.warning("an index of the store is unreadable", extra={"pack": name})
            return None
        return np.frombuffer(data, _ENTRY)
