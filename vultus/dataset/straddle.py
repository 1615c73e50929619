"""Which rows a data set must give up, because a near duplicate of theirs makes them worthless.

A picture in training whose near duplicate is tested makes the test say too much; a picture that
lies under two subjects is wrong under one of them, and nobody knows which.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.words import Presentation, Split
from vultus.dataset.near import Hashes, Rows, near_pairs

NEAR_COLUMNS = ("phash", "subject", "split", "presentation", "simulated")
"""What `doubtful` reads of a table of FaceCrops."""

ACROSS_SPLITS = "near_duplicate_across_splits"
TWO_IDENTITIES = "near_duplicate_two_identities"
REASONS = {1: ACROSS_SPLITS, 2: TWO_IDENTITIES}
"""Code of `doubtful` -> reason in the quarantine."""

_PROTECTED = (Split.TRAIN, Split.VALIDATION, Split.TEST)
"""From the split that gives up its rows first to the one that keeps them all."""

Flags = NDArray[np.bool_]


def doubtful(crops: pa.Table, *, near_bits: int = 3, identity_bits: int = 1) -> NDArray[np.int8]:
    """A code of REASONS for each row to refuse, 0 for the others.

    Args:
        crops: at least NEAR_COLUMNS of CROP_SCHEMA.
        near_bits: hashes this near are the same picture, as far as leakage goes.
        identity_bits: bona fide originals this near are the same picture, whatever the subject says.
    Returns: int8 [N]. After the rows are gone, no near pair spans two splits.
    """
    hashes = crops["phash"].to_numpy()
    subject = codes(crops["subject"])
    original = pc.and_(
        pc.equal(crops["presentation"], Presentation.BONA_FIDE.value), pc.invert(crops["simulated"])
    ).to_numpy()
    rank = pc.index_in(crops["split"], pa.array([split.value for split in _PROTECTED])).to_numpy()
    found = np.zeros(len(hashes), np.int8)
    confused = two_identities(hashes, subject, original, identity_bits)
    found[confused] = 2
    left = np.flatnonzero(~confused)
    found[left[straddlers(hashes[left], rank[left], near_bits)]] = 1
    return found


def straddlers(hashes: Hashes, rank: NDArray[np.integer], radius: int) -> Flags:
    """Rows to give up so that no near pair spans two splits; as few as that takes, split by split.

    Only direct neighbours count: a long chain of pictures, each near the next, costs a split no
    more than the links that cross its border.

    Args:
        hashes: uint64 [N].
        rank: [N], 0 train, 1 validation, 2 test: the higher keeps its row.
        radius: bits.
    Returns: bool [N].
    """
    unique, back = np.unique(hashes, return_inverse=True)
    given_up = np.zeros(len(hashes), bool)
    guarded = np.zeros(len(unique), bool)
    for level in range(len(_PROTECTED) - 1, 0, -1):
        # What is still there of the higher splits guards its surroundings against the lower ones.
        guarded[back[(rank == level) & ~given_up]] = True
        lower = np.zeros(len(unique), bool)
        lower[back[(rank == level - 1)]] = True
        near = guarded.copy()
        if guarded.any() and lower.any():
            for one, other, _ in near_pairs(unique, radius):
                near[one[guarded[other]]] = True
                near[other[guarded[one]]] = True
        given_up |= (rank == level - 1) & near[back]
    return given_up


def two_identities(hashes: Hashes, subject: Rows, original: Flags, radius: int) -> Flags:
    """Originals that lie, nearly the same, under two subjects.

    Args:
        hashes: uint64 [N].
        subject: int [N].
        original: bool [N], rows that count: bona fide and no simulation.
        radius: bits.
    Returns: bool [N], False wherever `original` is.
    """
    unique, back = np.unique(hashes[original], return_inverse=True)
    mine = subject[original]
    low = np.full(len(unique), np.iinfo(np.int64).max)
    high = np.full(len(unique), -1, np.int64)
    np.minimum.at(low, back, mine)
    np.maximum.at(high, back, mine)
    several = low != high
    for one, other, _ in near_pairs(unique, radius):
        differ = np.minimum(low[one], low[other]) != np.maximum(high[one], high[other])
        several[one[differ]] = True
        several[other[differ]] = True
    confused = np.zeros(len(hashes), bool)
    confused[np.flatnonzero(original)[several[back]]] = True
    return confused


def codes(column: pa.ChunkedArray) -> Rows:
    """One whole number for each different value, int64 [N]; null is -1."""
    indices = column.combine_chunks().dictionary_encode().indices
    return np.asarray(indices.fill_null(-1).to_numpy(), np.int64)
