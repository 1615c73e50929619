"""Groups of near-equal hashes are exactly those that comparing all with all would find."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.dataset.near import Hashes, near_groups, near_pairs


def compared_with_all(hashes: Hashes, radius: int) -> list[int]:
    """The same groups, the plain way."""
    group = list(range(len(hashes)))
    for row in range(len(hashes)):
        near = np.flatnonzero(np.bitwise_count(hashes ^ hashes[row]) <= radius)
        joined = {group[other] for other in near}
        lowest = min(joined)
        group = [lowest if label in joined else label for label in group]
    return group


def crowd(seed: int, rows: int, centres: int, flips: int) -> Hashes:
    """Hashes around few centres, up to `flips` bits away."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, centres, dtype=np.uint64)[rng.integers(0, centres, rows)]
    for _ in range(flips):
        bit = np.uint64(1) << rng.integers(0, 64, rows).astype(np.uint64)
        hashes = np.where(rng.random(rows) < 0.5, hashes ^ bit, hashes)
    return hashes


@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(1, 20), st.integers(0, 6))
def test_as_if_all_were_compared(seed: int, rows: int, centres: int, radius: int) -> None:
    hashes = crowd(seed, rows, centres, radius + 2)
    assert near_groups(hashes, radius).tolist() == compared_with_all(hashes, radius)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_a_crowded_bucket_is_divided_and_nothing_is_lost(radius: int) -> None:
    # 1,500 hashes that agree in 52 bits: every choice of blocks leaves buckets above the limit.
    low = np.random.default_rng(radius).choice(4096, 1500, replace=False).astype(np.uint64)
    hashes = low << np.uint64(26)
    assert near_groups(hashes, radius).tolist() == compared_with_all(hashes, radius)


@given(st.integers(0, 2**32), st.integers(0, 4))
def test_a_wider_radius_never_parts_a_group(seed: int, radius: int) -> None:
    hashes = crowd(seed, 80, 6, 6)
    narrow, wide = near_groups(hashes, radius), near_groups(hashes, radius + 1)
    for label in np.unique(narrow):
        assert len(np.unique(wide[narrow == label])) == 1


def test_equal_hashes_are_one_group_and_compared_once() -> None:
    hashes = np.zeros(200_000, np.uint64)
    hashes[-1] = 2**63
    assert near_groups(hashes, 0)[-1] == 199_999
    assert set(near_groups(hashes, 1).tolist()) == {0}
    assert near_groups(np.zeros(0, np.uint64)).tolist() == []


def test_pairs_carry_their_distance() -> None:
    hashes = np.array([0, 1, 0b111, 2**40 - 1], np.uint64)
    found = {
        (min(one, other), max(one, other)): distance
        for piece in near_pairs(hashes, 3)
        for one, other, distance in zip(*(part.tolist() for part in piece), strict=True)
    }
    assert found == {(0, 1): 1, (0, 2): 3, (1, 2): 2}


def test_a_radius_without_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="within 0 to 8"):
        near_groups(np.zeros(2, np.uint64), 9)
