"""Paired tests against values that can be reckoned by hand, and as laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.contracts.words import Verdict
from vultus.metrics import holm, mcnemar, mcnemar_by_group, trials_needed_for, worst_verdict
from vultus.metrics.intervals import clopper_pearson


@pytest.mark.parametrize(
    ("worse", "better", "p"),
    # Tails of fair coins: 1/2^5; (1 + 10) / 2^10; all of them; none thrown.
    [(5, 0, 1 / 32), (9, 1, 11 / 1024), (0, 4, 1.0), (0, 0, 1.0)],
)
def test_mcnemar_is_a_tail_of_fair_coins(worse: int, better: int, p: float) -> None:
    assert mcnemar(worse, better) == pytest.approx(p, abs=1e-12)


def test_many_trials_of_one_subject_prove_no_more_than_one() -> None:
    ours, theirs = np.ones(50, bool), np.zeros(50, bool)
    assert mcnemar_by_group(ours, theirs, np.zeros(50, np.int64)) == 0.5
    assert mcnemar_by_group(ours, theirs, np.arange(50) % 5) == pytest.approx(1 / 32)


def test_holm_on_the_example_of_three() -> None:
    # 3 x 0.01, then 2 x 0.02, then 0.03 raised to the one before it.
    assert holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_never_lowers_a_chance_and_keeps_the_order(chances: list[float]) -> None:
    adjusted = holm(chances)
    assert all(a >= p and a <= 1 for a, p in zip(adjusted, chances, strict=True))
    order = np.argsort(chances, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


@pytest.mark.parametrize(("at_most", "errors"), [(0.01, 0), (0.05, 3), (1e-4, 0)])
def test_the_needed_trials_are_the_fewest(at_most: float, errors: int) -> None:
    needed = trials_needed_for(at_most, errors)
    assert clopper_pearson(errors, needed).high <= at_most
    assert clopper_pearson(errors, needed - 1).high > at_most


def test_one_failure_fails_and_one_gap_leaves_it_open() -> None:
    passed, failed, little = Verdict.PASS, Verdict.FAIL, Verdict.NOT_ENOUGH_DATA
    assert worst_verdict([passed, little, failed, None]) is failed
    assert worst_verdict([passed, little]) is little
    assert worst_verdict([passed, None]) is passed
    assert worst_verdict([]) is little
