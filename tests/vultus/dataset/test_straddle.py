"""What is given up: enough that nothing leaks, and no more than the border asks."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vultus.dataset.near import Hashes
from vultus.dataset.straddle import REASONS, NearRows, doubtful, straddlers, two_identities

TRAIN, VALIDATION, TEST = 0, 1, 2


def around(seed: int, rows: int) -> tuple[Hashes, np.ndarray]:
    """Hashes in a few crowds, and splits at random."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, 8, dtype=np.uint64)[rng.integers(0, 8, rows)]
    for _ in range(5):
        bit = np.uint64(1) << rng.integers(0, 64, rows).astype(np.uint64)
        hashes = np.where(rng.random(rows) < 0.5, hashes ^ bit, hashes)
    return hashes, rng.integers(0, 3, rows)


def distances(hashes: Hashes) -> np.ndarray:
    return np.bitwise_count(hashes[:, None] ^ hashes[None, :])


@given(st.integers(0, 2**32), st.integers(0, 4))
def test_no_near_pair_spans_two_splits_afterwards(seed: int, radius: int) -> None:
    hashes, rank = around(seed, 60)
    kept = ~straddlers(hashes, rank, radius)
    near = distances(hashes[kept]) <= radius
    assert not (near & (rank[kept][:, None] != rank[kept][None, :])).any()


@given(st.integers(0, 2**32), st.integers(0, 4))
def test_each_row_given_up_is_near_a_kept_one_of_a_higher_split(seed: int, radius: int) -> None:
    hashes, rank = around(seed, 60)
    gone = straddlers(hashes, rank, radius)
    near = distances(hashes) <= radius
    higher = rank[None, :] > rank[:, None]
    assert ((near & higher & ~gone[None, :]).any(axis=1) == gone).all()
    assert not gone[rank == TEST].any()


def test_a_chain_gives_up_its_border_alone() -> None:
    hashes = np.array([0, 0b11, 0b1111, 0b111111], np.uint64)
    rank = np.array([TRAIN, TRAIN, TRAIN, TEST])
    assert straddlers(hashes, rank, 2).tolist() == [False, False, True, False]


def test_a_row_near_a_row_that_went_itself_stays() -> None:
    hashes = np.array([0, 0b11, 0b1111], np.uint64)
    rank = np.array([TEST, VALIDATION, TRAIN])
    assert straddlers(hashes, rank, 2).tolist() == [False, True, False]


def test_two_subjects_of_one_picture_are_both_refused_and_others_are_not_asked() -> None:
    hashes = np.array([8, 8, 9, 8, 2**50], np.uint64)
    subject = np.array([0, 0, 1, 2, 3])
    original = np.array([True, True, True, False, True])
    assert two_identities(hashes, subject, original, 0).tolist() == [False] * 5
    assert two_identities(hashes, subject, original, 1).tolist() == [True] * 3 + [False] * 2


def test_a_table_gets_its_reasons() -> None:
    rows = [
        (0xFF, "anna", "train", "bona_fide", False),
        (0xFE, "berta", "train", "bona_fide", False),  # one bit from anna's
        (0xFF << 20, "carla", "validation", "bona_fide", False),
        ((0xFF << 20) + 7, "dora", "test", "bona_fide", False),  # three bits from carla's
        (0xFF << 40, "emil", "train", "bona_fide", False),
        (0xFF << 40, "emil", "train", "attack", True),  # of the same picture, same split
    ]
    names = ("phash", "subject", "split", "presentation", "simulated")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    table = pa.table({**columns, "phash": pa.array(columns["phash"], pa.uint64())})
    found = [
        REASONS.get(code)
        for code in doubtful(NearRows.of([table.slice(0, 2), table.slice(2)])).tolist()
    ]
    two, across = "near_duplicate_two_identities", "near_duplicate_across_splits"
    assert found == [two, two, across, None, None, None]
