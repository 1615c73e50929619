"""Which rows a data set must give up, because a near duplicate of theirs makes them worthless.

A picture in training whose near duplicate is tested makes the test say too much; a picture that
lies under two subjects is wrong under one of them, and nobody knows which.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.words import Presentation, Split
from vultus.dataset.census import Words
from vultus.dataset.near import Hashes, near_pairs

NEAR_COLUMNS = ("phash", "subject", "split", "presentation", "simulated")
"""What `doubtful` reads of a table of FaceCrops."""

ACROSS_SPLITS = "near_duplicate_across_splits"
TWO_IDENTITIES = "near_duplicate_two_identities"
REASONS = {1: ACROSS_SPLITS, 2: TWO_IDENTITIES}
"""Code of `doubtful` -> reason in the quarantine."""

Flags = NDArray[np.bool_]
_PROTECTED = (Split.TRAIN, Split.VALIDATION, Split.TEST)
"""From the split that gives up its rows first to the one that keeps them all."""


@dataclass(frozen=True)
class NearRows:
    """What decides over near duplicates, 14 bytes a row.

    hashes uint64 [N], perceptual; subject int32 [N]; original bool [N]: bona fide, nothing simulated;
    rank int8 [N]: place of the split in `_PROTECTED`, -1 for a word that is none.
    """

    hashes: Hashes
    subject: NDArray[np.int32]
    original: Flags
    rank: NDArray[np.int8]

    @classmethod
    def of(cls, tables: Iterable[pa.Table]) -> Self:
        """Args: tables: at least NEAR_COLUMNS of CROP_SCHEMA, in pieces, of which none is kept."""
        order = pa.array([split.value for split in _PROTECTED])
        words = Words()
        hashes, original, rank = [np.empty(0, np.uint64)], [np.empty(0, bool)], [np.empty(0, "i1")]
        for table in tables:
            words.add(table["subject"])
            hashes.append(table["phash"].to_numpy())
            bona_fide = pc.equal(table["presentation"], Presentation.BONA_FIDE.value)
            original.append(pc.and_(bona_fide, pc.invert(table["simulated"])).to_numpy())
            place = pc.fill_null(pc.index_in(table["split"], order), -1)
            rank.append(place.to_numpy().astype(np.int8))
        return cls(
            np.concatenate(hashes),
            words.labels().codes,
            np.concatenate(original).astype(bool),
            np.concatenate(rank),
        )


def doubtful(rows: NearRows, *, near_bits: int = 3, identity_bits: int = 1) -> NDArray[np.int8]:
    """A code of REASONS for each row to refuse, 0 for the others.

    Args:
        near_bits: hashes this near are the same picture, as far as leakage goes.
        identity_bits: bona fide originals this near are the same picture, whatever the subject says.
    Returns: int8 [N]. After the rows are gone, no near pair spans two splits.
    """
    found = np.zeros(len(rows.hashes), np.int8)
    confused = two_identities(rows.hashes, rows.subject, rows.original, identity_bits)
    found[confused] = 2
    left = np.flatnonzero(~confused)
    found[left[straddlers(rows.hashes[left], rows.rank[left], near_bits)]] = 1
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


def two_identities(
    hashes: Hashes, subject: NDArray[np.integer], original: Flags, radius: int
) -> Flags:
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
