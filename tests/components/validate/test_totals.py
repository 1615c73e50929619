"""Splits and strata are counted as a person would count them, and chance is chance."""

import numpy as np
import pytest

from components.validate.frame import splits_of
from components.validate.totals import chance_of


def test_fishers_tea() -> None:
    # Fisher 1935: eight cups, four of each kind; all four right has 1 chance in 70, either way 2.
    assert chance_of(4, 4, 4, 8) == pytest.approx(2 / 70)
    assert chance_of(2, 4, 4, 8) == 1.0


def test_chance_is_how_often_it_happens() -> None:
    rng = np.random.default_rng(5)
    everyone, marked, drawn, seen = 200, 50, 40, 18
    away = [
        abs(int((rng.permutation(everyone)[:drawn] < marked).sum()) - 10) for _ in range(20_000)
    ]
    # Not symmetric, so the two tails differ a little: four of its standard errors and half.
    assert chance_of(seen, drawn, marked, everyone) == pytest.approx(
        float(np.mean(np.array(away) >= seen - 10)), rel=0.5
    )


def test_a_stratum_that_cannot_be_dealt_otherwise_is_no_surprise() -> None:
    assert chance_of(0, 0, 5, 10) == 1.0
    assert chance_of(5, 10, 5, 10) == 1.0


def test_splits_of_a_group_and_of_nobody() -> None:
    group = np.array([0, 0, 1, 1, 1, -1], np.int16)
    split = np.array([0, 0, 0, 1, 2, 2], np.int8)
    assert splits_of(group, split).tolist() == [1, 1, 3, 3, 3, 1]
