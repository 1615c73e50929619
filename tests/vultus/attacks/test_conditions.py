"""Each condition: nothing at its first strength, more at each further one, the same for a seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.attacks.conditions import CONDITIONS, Condition
from vultus.contracts.arrays import RgbImage

_ROWS, _COLUMNS = np.mgrid[:112, :112]
FACE = np.hypot((_COLUMNS - 56) / 39, (_ROWS - 64) / 54) <= 1


@pytest.fixture(scope="module")
def chip() -> RgbImage:
    """Smooth light, some texture: neither black nor white anywhere."""
    rng = np.random.default_rng(0)
    waves = 120 + 50 * np.sin(_COLUMNS / 9)[..., None] + 30 * np.cos(_ROWS / 7)[..., None]
    return np.asarray(np.clip(waves + rng.normal(0, 4, (112, 112, 3)), 20, 235), np.uint8)


def distance(one: RgbImage, other: RgbImage) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_more_strength_is_more_change(condition: Condition, chip: RgbImage) -> None:
    seen = [condition.apply(chip, strength, 3) for strength in condition.strengths]
    assert seen[0] is chip
    assert all(one.shape == chip.shape and one.dtype == np.uint8 for one in seen)
    moved = [distance(chip, one) for one in seen]
    assert moved == sorted(moved)
    assert moved[1] > 0


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_a_seed_gives_the_same_pixels(condition: Condition, chip: RgbImage) -> None:
    worst = condition.strengths[-1]
    assert (condition.apply(chip, worst, 5) == condition.apply(chip, worst, 5)).all()


@given(st.sampled_from(CONDITIONS), st.integers(2, 8))
def test_fewer_strengths_keep_both_ends(condition: Condition, count: int) -> None:
    chosen = condition.chosen(count)
    assert (chosen[0], chosen[-1]) == (condition.strengths[0], condition.strengths[-1])
    assert len(chosen) == min(count, len(condition.strengths))
    assert list(chosen) == [one for one in condition.strengths if one in chosen]


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(("mask", "hand", "hair")), st.floats(10, 60), st.integers(0, 50))
def test_a_cover_hides_as_much_of_the_face_as_it_says(name: str, percent: float, seed: int) -> None:
    condition = next(one for one in CONDITIONS if one.name == name)
    flat = np.full((112, 112, 3), (10, 250, 10), np.uint8)
    hidden = (condition.apply(flat, percent, seed) != flat).any(axis=2)
    assert 100 * hidden[FACE].mean() == pytest.approx(percent, abs=8)


def test_exposure_halves_the_light_with_each_ev(chip: RgbImage) -> None:
    dark = next(one for one in CONDITIONS if one.name == "dark")
    grey = np.full((112, 112, 3), 188, np.uint8)  # half of the light of white
    assert dark.apply(grey, 1, 0).mean() == pytest.approx(137, abs=2)  # a quarter


def test_side_light_keeps_the_mean_and_splits_the_sides() -> None:
    side = next(one for one in CONDITIONS if one.name == "side_light")
    grey = np.full((112, 112, 3), 100, np.uint8)
    lit = side.apply(grey, 2, 1).astype(float)
    left, right = lit[:, :8].mean(), lit[:, -8:].mean()
    linear = [(value / 255) ** 2.2 for value in (left, right)]
    assert max(linear) / min(linear) == pytest.approx(4, rel=0.15)


def test_warm_is_red_and_cold_is_blue() -> None:
    grey = np.full((112, 112, 3), 120, np.uint8)
    warm, cold = (
        next(c for c in CONDITIONS if c.name == name).apply(grey, 100, 0).mean(axis=(0, 1))
        for name in ("warm", "cold")
    )
    assert warm[0] > warm[1] > warm[2]
    assert cold[0] < cold[1] < cold[2]
