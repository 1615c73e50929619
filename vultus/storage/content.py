"""A content-addressed store over any `Files`: single pieces as `ab/cd/abcd…`, many as packs."""

import hashlib
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from vultus.errors import BadArtifact
from vultus.storage.files import Files
from vultus.storage.packs import FOLDER, PackIndex, write_pack


class ContentStore:
    """Bytes by sha256. Safe with several writers: the name is the content."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._index = PackIndex(files)

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their hex sha256. The packs are not searched for them: knowing every
        piece of a large store takes memory, and a second copy of one does no harm.

        Raises: StorageUnavailable, if the place refuses; nothing half-written stays then.
        """
        digest = hashlib.sha256(data).hexdigest()
        if not self._files.exists(_loose(digest)):
            self._files.write(_loose(digest), [data])
        return digest

    def put_many(self, pieces: Sequence[bytes]) -> list[str]:
        """Keep many pieces side by side, in their order; those that are there already are not
        written again. Returns: the hex sha256 of each. Raises: StorageUnavailable."""
        digests = [hashlib.sha256(piece).digest() for piece in pieces]
        self._put_new(digests, pieces)
        return [digest.hex() for digest in digests]

    def put_block(
        self, block: memoryview, lengths: Sequence[int], digests: Sequence[bytes]
    ) -> None:
        """`put_many` for pieces that lie side by side already: nothing is copied or hashed again.

        Args:
            block: all pieces, one after the other; nobody may change it meanwhile.
            lengths, digests: bytes, and the 32-byte sha256, of each piece.
        Raises: StorageUnavailable.
        """
        ends = list(accumulate(lengths))
        pieces = [block[end - size : end] for end, size in zip(ends, lengths, strict=True)]
        self._put_new(digests, pieces, block)

    def _put_new(
        self,
        digests: Sequence[bytes],
        pieces: Sequence[bytes | memoryview],
        block: memoryview | None = None,
    ) -> None:
        """Write what is not there yet. Args: block: all pieces in one, where there is such a thing."""
        self._index.refresh()
        there = self._index.holds(_heads(digests))
        new = {
            digest: piece
            for digest, piece, known in zip(digests, pieces, there, strict=True)
            if not known
        }
        if new:
            whole = block if len(new) == len(pieces) else None
            write_pack(self._files, list(new.values()), list(new), whole)

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises: StorageUnavailable; BadArtifact, if absent or not what the name says."""
        digest = bytes.fromhex(sha256)
        data = self._packed(digest)
        name = _loose(sha256)
        if data is None:
            data = self._files.read(name)
        if data is None and self._index.refresh():
            data = self._packed(digest)
        if data is None:
            raise BadArtifact(
                f"{sha256} is not in the store {self._files.place('')}; "
                "run the step that made it again"
            )
        if hashlib.sha256(data).digest() != digest:
            pack = next((f"{FOLDER}/{place.pack}.pack" for place in self._index.find(digest)), name)
            raise BadArtifact(
                f"{sha256} was cut or changed; delete {self._files.place(pack)} "
                "and run its step again"
            )
        return data

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there. Raises: StorageUnavailable."""
        return bool(self.has_many([sha256])[0])

    def has_many(self, digests: Sequence[str]) -> npt.NDArray[np.bool_]:
        """For each hex sha256, whether its bytes are there; what lies in packs is known at once.

        Raises: StorageUnavailable.
        """
        self._index.refresh()
        there = self._index.holds(_heads([bytes.fromhex(digest) for digest in digests]))
        for index in np.flatnonzero(~there):
            there[index] = self._files.exists(_loose(digests[int(index)]))
        return there

    def _packed(self, digest: bytes) -> bytes | None:
        """The piece from its pack; where several could be meant, the one that is it."""
        data = None
        for place in self._index.find(digest):
            data = self._files.read_range(f"{FOLDER}/{place.pack}.pack", place.start, place.length)
            if data is not None and hashlib.sha256(data).digest() == digest:
                return data
        return data

    def __getstate__(self) -> dict[str, Any]:
        return {"_files": self._files}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ContentStore.__init__(self, state["_files"])


def _loose(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _heads(digests: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    """First 8 bytes of each sha256 as a number."""
    joined = b"".join(digest[:8] for digest in digests)
    return np.frombuffer(joined, ">u8").astype(np.uint64)
