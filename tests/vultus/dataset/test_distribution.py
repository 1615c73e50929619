"""Statistics against hand calculations and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.dataset.distribution import number_shift, psi, spread, word_shift

VALUES = st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=50)


def test_psi_by_hand() -> None:
    """(0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5)."""
    wanted = -0.25 * math.log(0.5) + 0.25 * math.log(1.5)
    assert psi(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(wanted)


def test_ks_by_hand() -> None:
    """Half of the second sample lies beyond all of the first."""
    shift = number_shift("x", np.array([1.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0]), (2, 4))
    assert shift is not None
    assert shift.distance == pytest.approx(0.5)


def test_ks_chance_is_the_tabulated_one() -> None:
    """Kolmogorov's 5 % point is 1.358: at n = m = 10,000 that is D = 0.0192."""
    before = np.arange(10_000, dtype=np.float64)
    shift = number_shift("x", before, before + 192, (10_000, 10_000))
    assert shift is not None
    assert shift.distance == pytest.approx(0.0192)
    assert shift.p == pytest.approx(0.05, abs=0.003)


@given(VALUES)
def test_a_sample_has_not_moved_from_itself(values: list[float]) -> None:
    sample = np.array(values)
    shift = number_shift("x", sample, sample[::-1].copy(), (len(values), len(values)))
    assert shift is not None
    assert (shift.psi, shift.distance, shift.verdict) == (0.0, 0.0, "same")


def test_few_people_prove_nothing_many_do() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.normal(0, 1, 5000), rng.normal(1, 1, 5000)
    few = number_shift("x", before, after, (3, 3))
    many = number_shift("x", before, after, (300, 300))
    assert few is not None
    assert many is not None
    assert few.psi == many.psi > 0.25
    assert (few.verdict, many.verdict) == ("same", "moved")


def test_words_that_change_places_move() -> None:
    shift = word_shift("sex", {"f": 80, "m": 20}, {"f": 20, "m": 80}, (100, 100))
    assert shift is not None
    assert shift.distance == pytest.approx(0.6)
    assert shift.verdict == "moved"
    assert shift.said == "f 80 % → 20 %"


def test_nothing_known_is_no_spread() -> None:
    assert spread(np.array([np.nan])) is None
    assert number_shift("x", np.array([np.nan]), np.array([1.0]), (1, 1)) is None
