"""Bytes on their way to the store: a worker reads on while packs, and the journal, go to the disk."""

import hashlib
import mmap
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

from vultus.contracts.seams import Store

BLOCK_BYTES = 16 << 20
_BLOCKS = 3
"""One is filled, two are on their way."""
Result = TypeVar("Result")


class Block:
    """Room for one pack. It begins at a page, so that the disk can take it from where it is."""

    def __init__(self, size: int) -> None:
        held = mmap.mmap(-1, size)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            held.madvise(mmap.MADV_HUGEPAGE)
        self.view = memoryview(held)
        self.used = 0
        self.lengths: list[int] = []
        self.digests: list[bytes] = []

    def empty(self) -> None:
        """Begin anew."""
        self.used, self.lengths, self.digests = 0, [], []


class Packer:
    """Fills one block while others are written; one a worker, for all its pieces of work.

    What is waited for in a forced write is time in which no processor works: packs are written by one
    thread, what may only happen after them by another.
    """

    def __init__(self, store: Store, block_bytes: int = BLOCK_BYTES) -> None:
        self._store = store
        self._packs, self._ends = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._free: SimpleQueue[Block] = SimpleQueue()
        for _ in range(_BLOCKS):
            self._free.put(Block(block_bytes))
        self._size = block_bytes
        self._block = self._free.get()
        self._under_way: list[Future[None]] = []

    def room(self, size: int) -> memoryview:
        """Where `size` bytes may be read to; the next that is added, if it was read there, is not
        copied."""
        if size > self._size:
            return memoryview(bytearray(size))
        if size > self._size - self._block.used:
            self._flush()
        used = self._block.used
        return self._block.view[used : used + size]

    def add(self, data: bytes | memoryview) -> str:
        """One picture. Returns: its hex sha256. That its pack could not be written is told by `end`."""
        digest = hashlib.sha256(data)
        size = len(data)
        if size > self._size:  # a pack of its own
            self._flush()
            held = memoryview(bytes(data))
            alone = held, [size], [digest.digest()]
            self._under_way.append(self._packs.submit(self._store.put_block, *alone))
            return digest.hexdigest()
        place = self.room(size)
        if not (isinstance(data, memoryview) and data.obj is place.obj):  # else it is there
            place[:] = data
        block = self._block
        block.used += size
        block.lengths.append(size)
        block.digests.append(digest.digest())
        return digest.hexdigest()

    def end(self, finish: Callable[[], Result]) -> Future[Result]:
        """What was added since the last end goes to the store; `finish` is called when it is there.

        Returns: what `finish` returns, or StorageUnavailable, later.
        """
        self._flush()
        packs, self._under_way = self._under_way, []

        def ended() -> Result:
            for pack in packs:
                pack.result()
            return finish()

        return self._ends.submit(ended)

    def close(self) -> None:
        """Wait for what is under way."""
        self._packs.shutdown()
        self._ends.shutdown()

    def _flush(self) -> None:
        """Hand the block to the writer, and take one that is written."""
        if self._block.used:
            self._under_way.append(self._packs.submit(self._write, self._block))
            self._block = self._free.get()

    def _write(self, block: Block) -> None:
        try:
            self._store.put_block(block.view[: block.used], block.lengths, block.digests)
        finally:
            block.empty()
            self._free.put(block)
