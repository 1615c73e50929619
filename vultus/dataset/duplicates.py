"""Near duplicates among the pictures as captured, by perceptual hash."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.dataset.census import Census, Codes
from vultus.dataset.near import near_groups

RADIUS = 3
"""Bits in which the hashes of two near duplicates differ at most."""


@dataclass(frozen=True)
class Duplicates:
    """Groups of pictures that look alike, and two rows of each group to look at.

    groups: with two pictures or more; pictures: in them; largest: pictures of the largest group.
    across_subjects, across_splits: one pair of rows a group that holds two subjects / splits;
    within: one pair of rows of every other group.
    """

    groups: int
    pictures: int
    largest: int
    across_subjects: tuple[tuple[int, int], ...]
    across_splits: tuple[tuple[int, int], ...]
    within: tuple[tuple[int, int], ...]


def find_duplicates(census: Census) -> Duplicates | None:
    """None where the version has no perceptual hashes. Simulated pictures are copies by design."""
    if census.hashes is None:
        return None
    rows = np.flatnonzero(census.own)
    groups = near_groups(census.hashes[rows], RADIUS)
    sizes = np.bincount(groups, minlength=1)
    member = sizes[groups] > 1
    order = np.argsort(groups[member], kind="stable")
    rows, groups = rows[member][order], groups[member][order]
    person = _pairs(rows, groups, census.labels["subject"].codes)
    split = _pairs(rows, groups, census.labels["split"].codes)
    mixed = {first for first, _ in (*person, *split)}
    first = _starts(groups)
    return Duplicates(
        groups=int((sizes > 1).sum()),
        pictures=int(member.sum()),
        largest=int(sizes.max(initial=0)),
        across_subjects=tuple(person),
        across_splits=tuple(split),
        within=tuple(
            (int(rows[at]), int(rows[at + 1])) for at in first if int(rows[at]) not in mixed
        ),
    )


def _pairs(
    rows: NDArray[np.int64], groups: NDArray[np.int64], codes: Codes
) -> list[tuple[int, int]]:
    """Of each group that holds two codes: its first row, and the first one with another code."""
    start = np.repeat(_starts(groups), np.diff([*_starts(groups), len(groups)]))
    other = np.flatnonzero(codes[rows] != codes[rows[start]]) if len(rows) else start
    if not len(other):
        return []
    _, unique = np.unique(groups[other], return_index=True)
    return [(int(rows[start[at]]), int(rows[at])) for at in other[unique]]


def _starts(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places where a new group begins; equal groups stand together."""
    if not len(groups):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]]))
