"""Near duplicates among millions of perceptual hashes: exact, without comparing all with all.

Two 64-bit hashes that differ in at most r bits differ in at most r of m blocks, so some m - r blocks
agree. Sorting by every choice of m - r blocks (m = r + 2: two blocks, 26 bits at r = 3) brings each
such pair into one bucket. Equal hashes are one hash here, however many rows carry it; a bucket that
is crowded all the same is divided again by its remaining bits.

Source: Manku, Jain, Das Sarma, Detecting near-duplicates for web crawling, WWW 2007.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]

_BITS = 64
_CROWDED = 512
"""Hashes in one bucket from which dividing it again is cheaper than comparing all its pairs."""
_FEW_BITS = 9
"""So few bits left make at most 512 different hashes: a bucket that is never crowded."""


def near_groups(hashes: Hashes, radius: int = 3) -> Rows:
    """Connected components of the rows under Hamming distance <= `radius`.

    Args:
        hashes: uint64 [N].
        radius: bits, 0 to 8.
    Returns: int64 [N]: the first row of each row's group, so a lone row is its own group.
    """
    unique, first, back = np.unique(hashes, return_index=True, return_inverse=True)
    root = np.arange(len(unique), dtype=np.int64)
    for left, right, _ in near_pairs(unique, radius):
        _join(root, left, right)
    root = _flat(root)
    lowest = np.full(len(unique), len(hashes), np.int64)
    np.minimum.at(lowest, root, first.astype(np.int64))
    return np.asarray(lowest[root][back], np.int64)


def near_pairs(unique: Hashes, radius: int = 3) -> Iterator[tuple[Rows, Rows, NDArray[np.uint8]]]:
    """Every pair of different hashes at Hamming distance <= `radius`, in pieces.

    Args:
        unique: uint64 [U], no value twice.
        radius: bits, 0 to 8.
    Yields: places in `unique` int64 [P] and [P], and their distance [P]. A pair may come more than
        once, in either order.
    Raises: ValueError, if radius is outside 0 to 8.
    """
    if not 0 <= radius <= 8:
        raise ValueError(f"radius is {radius}, it must lie within 0 to 8 bits")
    if radius and len(unique) > 1:
        everything = np.arange(len(unique), dtype=np.int64)
        yield from _divided(unique, everything, list(range(_BITS)), radius)


def _divided(
    hashes: Hashes, rows: Rows, bits: list[int], radius: int
) -> Iterator[tuple[Rows, Rows, NDArray[np.uint8]]]:
    """Pairs among `rows`, which agree in every bit that is not in `bits`."""
    blocks = [bits[start :: radius + 2] for start in range(radius + 2)]
    for chosen in combinations(blocks, 2):
        agreeing = [bit for block in chosen for bit in block]
        key = hashes[rows] & np.uint64(sum(1 << bit for bit in agreeing))
        order = rows[np.argsort(key)]
        key.sort()
        left = [bit for bit in bits if bit not in set(agreeing)]
        bounds = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1], [True]]))
        del key
        size = np.diff(bounds)
        deep = (size > _CROWDED) & (len(left) > _FEW_BITS)
        for bucket in np.flatnonzero(deep):
            yield from _divided(hashes, order[bounds[bucket] : bounds[bucket + 1]], left, radius)
        yield from _compared(hashes, order, bounds[:-1][~deep], size[~deep], radius)


def _compared(
    hashes: Hashes, order: Rows, start: Rows, size: Rows, radius: int
) -> Iterator[tuple[Rows, Rows, NDArray[np.uint8]]]:
    """All pairs inside the buckets `order[start : start + size]`; no piece is longer than `order`."""
    start, size = start[size > 1], size[size > 1]
    step = 0
    while len(size):
        step += 1
        start, size = start[size > step], size[size > step]
        left = _runs(start, size - step)
        one, other = order[left], order[left + step]
        distance = np.bitwise_count(hashes[one] ^ hashes[other])
        near = distance <= radius
        if near.any():
            yield one[near], other[near], distance[near]


def _runs(start: Rows, length: Rows) -> Rows:
    """start[0], start[0] + 1, … (length[0] of them), start[1], …"""
    skipped = np.cumsum(length) - length
    inside = np.arange(int(length.sum()), dtype=np.int64)
    return np.asarray(inside + np.repeat(start - skipped, length), np.int64)


def _join(root: Rows, left: Rows, right: Rows) -> None:
    """Put the trees of each pair together, in place; a root is its tree's lowest place."""
    while True:
        left, right = _find(root, left), _find(root, right)
        apart = left != right
        if not apart.any():
            return
        left, right = left[apart], right[apart]
        np.minimum.at(root, np.maximum(left, right), np.minimum(left, right))


def _find(root: Rows, places: Rows) -> Rows:
    while True:
        above = root[places]
        if np.array_equal(above, places):
            return places
        places = above


def _flat(root: Rows) -> Rows:
    while True:
        above = root[root]
        if np.array_equal(above, root):
            return root
        root = above
