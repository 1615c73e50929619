"""Intervals against the literature's numbers, and how often they hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from vultus.contracts.words import Verdict
from vultus.metrics import (
    Interval,
    bootstrap,
    clopper_pearson,
    judge,
    rule_of_three,
    trial_weights,
    trials_needed,
    wilson,
)

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_published_values() -> None:
    """Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I."""
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert clopper_pearson(0, 20) == pytest.approx((0, 0.1684), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)
    assert clopper_pearson(1, 29) == pytest.approx((0.0009, 0.1776), abs=1e-4)
    assert wilson(29, 29)[1] == 1


@settings(max_examples=60, deadline=None)
@given(st.one_of(counts, st.integers(0, 10**5).map(lambda errors: (errors, 10**8))))
def test_clopper_pearson_is_the_one_of_others(case: tuple[int, int]) -> None:
    errors, trials = case
    low, high = clopper_pearson(errors, trials)
    expected = (beta.ppf(0.025, errors, trials - errors + 1) if errors else 0,
                beta.ppf(0.975, errors + 1, trials - errors) if errors < trials else 1)  # fmt: skip
    assert low == pytest.approx(expected[0], abs=1e-12, rel=1e-9)
    assert high == pytest.approx(expected[1], abs=1e-12, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(counts)
def test_an_interval_holds_its_value_and_mirrors(case: tuple[int, int]) -> None:
    errors, trials = case
    for interval in (wilson, clopper_pearson):
        low, high = interval(errors, trials)
        assert 0 <= low <= errors / trials <= high <= 1
        mirrored = interval(trials - errors, trials)
        assert (low, high) == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-9)


@pytest.mark.parametrize(("trials", "share"), [(40, 0.02), (100, 0.1), (60, 0.5)])
def test_clopper_pearson_covers_what_it_promises(trials: int, share: float) -> None:
    """Exactly, by adding up the binomial distribution."""
    chance = np.array([share**k * (1 - share) ** (trials - k) for k in range(trials + 1)])
    choose = np.cumprod([1.0, *((trials - k + 1) / k for k in range(1, trials + 1))])
    held = [
        low <= share <= high
        for low, high in (clopper_pearson(k, trials) for k in range(trials + 1))
    ]
    assert (chance * choose)[held].sum() >= 0.95


def test_after_no_error() -> None:
    assert rule_of_three(300) == 0.01
    assert rule_of_three(0) == 1
    assert rule_of_three(2) == 1
    # The rule is the one-sided bound; the upper end of the two-sided interval lies higher.
    assert rule_of_three(300) == pytest.approx(1 - 0.05 ** (1 / 300), rel=0.01)
    assert clopper_pearson(0, 300).high == pytest.approx(1 - 0.025 ** (1 / 300), rel=1e-6)
    assert trials_needed(1e-3) == 3000


def test_a_trial_counts_as_often_as_its_subjects_were_drawn() -> None:
    first, second = np.array([0, 0, 1, 2]), np.array([0, 1, 2, 2])
    for weights in trial_weights(first, second, replicates=50):
        a, c = weights[0], weights[3]  # mated trials: how often subjects 0 and 2 were drawn
        b = 3 - a - c
        assert b >= 0
        assert weights.tolist() == [a, a * b, b * c, c]


def test_dependent_trials_get_a_wider_interval() -> None:
    """20 subjects of 50 trials; whole subjects err, so there are 20 independent trials, not 1,000."""
    subjects = np.repeat(np.arange(20), 50)
    errors = np.isin(subjects, [3, 11])
    found = bootstrap(lambda w: w[errors].sum() / w.sum(), subjects)
    naive = clopper_pearson(100, 1000)
    assert found is not None
    assert found.high - found.low > 3 * (naive.high - naive.low)
    again = bootstrap(lambda w: w[errors].sum() / w.sum(), subjects)
    assert found == again


def test_the_bootstrap_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(60):
        subjects = np.repeat(np.arange(40), 5)
        errors = rng.random(200) < rng.beta(2, 8, 40)[subjects]  # mean 0.2
        found = bootstrap(lambda w, e=errors: w[e].sum() / w.sum(), subjects, replicates=120)
        assert found is not None
        held += found.low <= 0.2 <= found.high
    assert held >= 51  # 57 expected, 3.5 standard deviations below


def test_one_subject_or_no_value_has_no_interval() -> None:
    assert bootstrap(lambda w: 0.0, np.zeros(9, np.int64)) is None
    assert bootstrap(lambda w: 0.0, np.empty(0, np.int64)) is None
    assert bootstrap(lambda w: float("nan"), np.arange(9)) is None


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.999))
def test_a_verdict_follows_the_interval(a: float, b: float, limit: float) -> None:
    low, high = sorted((a, b))
    verdict = judge(Interval(low, high), limit)
    assert (verdict is Verdict.PASS) == (high <= limit)
    assert (verdict is Verdict.FAIL) == (low > limit)
    assert judge(None, limit) is Verdict.NOT_ENOUGH_DATA


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.integers(1, 5000))
def test_more_trials_without_error_never_make_a_pass_undone(errors: int, trials: int) -> None:
    if judge(clopper_pearson(min(errors, trials), trials), 0.01) is Verdict.PASS:
        assert judge(clopper_pearson(errors, trials + 50), 0.01) is Verdict.PASS
