"""Calibration: known distributions, and laws of Cllr."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.errors import NoTrials
from vultus.metrics import calibrate, cllr, isotonic_llr


def _normal(distance: float, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(distance, 1, count), rng.normal(0, 1, count)


def test_two_normals_give_their_known_ratio() -> None:
    """N(d, 1) against N(0, 1): llr = d x - d²/2, in closed form."""
    found = calibrate(*_normal(2.0, 40_000))
    assert found.slope == pytest.approx(2.0, rel=0.05)
    assert found.offset == pytest.approx(-2.0, rel=0.05)


def test_the_mix_of_trials_does_not_matter() -> None:
    mated, other = _normal(2.0, 20_000)
    few, many = calibrate(mated[:200], other), calibrate(mated, other)
    assert few.offset == pytest.approx(many.offset, abs=0.35)  # log(100) would be 4.6


@given(st.floats(-3, 3), st.floats(0.01, 50), st.floats(-20, 20))
def test_the_unit_of_a_score_does_not_matter(distance: float, scale: float, shift: float) -> None:
    mated, other = _normal(distance, 60)
    plain = calibrate(mated, other)
    moved = calibrate(mated * scale + shift, other * scale + shift)
    if plain.slope > 1e-3:
        expected = plain.llr(mated)
        assert moved.llr(mated * scale + shift) == pytest.approx(expected, abs=2e-3)
    assert plain.slope > 0  # the order of scores is never turned round


def test_separable_scores_end() -> None:
    found = calibrate(np.array([0.8, 0.9]), np.array([0.1, 0.2]))
    assert np.isfinite(found.llr(np.array([0.0, 1.0]))).all()
    assert found.llr(np.array([0.15]))[0] < 0 < found.llr(np.array([0.85]))[0]


def test_cllr_by_hand() -> None:
    nothing = np.zeros(3)
    assert cllr(nothing, nothing) == pytest.approx(1)  # no answer costs one bit
    assert cllr(np.full(2, 40.0), np.full(2, -40.0)) == pytest.approx(0, abs=1e-12)
    assert cllr(np.log([3.0]), np.log([1 / 3])) == pytest.approx(np.log2(4 / 3))


def test_pooling_by_hand() -> None:
    """0 | 1 | 0 | 1 | 1: the middle two are pooled to a half; the ends are certain."""
    mated, other = isotonic_llr(np.array([2.0, 4.0, 5.0]), np.array([1.0, 3.0]))
    assert mated[0] == other[1] == pytest.approx(np.log(1 / 1) - np.log(3 / 2))
    assert np.isposinf(mated[1:]).all()
    assert np.isneginf(other[0])


@given(st.integers(0, 500), st.floats(0, 3))
def test_no_rising_function_costs_less_than_the_isotonic_one(seed: int, distance: float) -> None:
    mated, other = _normal(distance, 40, seed)
    best = cllr(*isotonic_llr(mated, other))
    found = calibrate(mated, other)
    assert best <= cllr(found.llr(mated), found.llr(other)) + 1e-9
    assert best <= 1 + 1e-9


def test_one_kind_alone_cannot_be_calibrated() -> None:
    some, none = np.ones(3), np.empty(0)
    for ask in (calibrate, cllr, isotonic_llr):
        with pytest.raises(NoTrials):
            ask(some, none)
