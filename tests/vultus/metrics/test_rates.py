"""Rates and thresholds: hand-computed values, and laws that hold for all scores."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vultus.errors import NoTrials
from vultus.metrics import (
    BpcerAtApcer,
    Decisions,
    apcer,
    bpcer,
    bpcer_at_apcer,
    fmr,
    fnmr,
    threshold_at_bpcer,
    threshold_at_fmr,
)

# Few distinct values: ties are where rates go wrong.
grid = st.integers(-8, 8).map(lambda step: step / 8)
scores = arrays.arrays(np.float32, st.integers(1, 30), elements=grid)


def test_counts_by_hand() -> None:
    other = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    same = np.array([0.3, 0.5, 0.7], np.float32)
    assert fmr(other, 0.3) == 0.5  # 0.3 and 0.4: a score on the threshold is accepted
    assert fnmr(same, 0.5) == pytest.approx(1 / 3)
    attacks = {"print": np.array([0.1, 0.6]), "replay": np.array([0.2, 0.3, 0.4])}
    assert apcer(attacks, 0.5) == 0.5  # the worst species, not 1 of 5
    assert bpcer(same, 0.6) == pytest.approx(2 / 3)


def test_bpcer_at_an_apcer_by_hand() -> None:
    attacks = {"print": np.array([0.9, *np.linspace(0, 0.5, 9)])}  # one of ten above 0.5
    bona_fide = np.array([0.4, 0.55, 0.8, 0.95])
    assert bpcer_at_apcer(attacks, bona_fide, 0.1) == 0.25  # threshold just above 0.5
    assert bpcer_at_apcer(attacks, bona_fide, 0.05) == 0.75  # 0.9 must go as well


@pytest.mark.parametrize(
    "ask", [lambda e: fmr(e, 0), lambda e: fnmr(e, 0), lambda e: bpcer(e, 0),
            lambda e: apcer({"mask": e}, 0), lambda e: apcer({}, 0),
            lambda e: threshold_at_fmr(e, 0.1), lambda e: threshold_at_bpcer(e, 0.1),
            lambda e: bpcer_at_apcer({}, e, 0.1)]
)  # fmt: skip
def test_no_figure_without_a_trial(ask: Callable[[np.ndarray], float]) -> None:
    with pytest.raises(NoTrials):
        ask(np.empty(0, np.float32))


@given(scores, grid, grid)
def test_fmr_never_rises_and_fnmr_never_falls_with_the_threshold(
    given_scores: np.ndarray, a: float, b: float
) -> None:
    low, high = sorted((a, b))
    assert fmr(given_scores, high) <= fmr(given_scores, low)
    assert fnmr(given_scores, high) >= fnmr(given_scores, low)
    assert fmr(given_scores, a) + fnmr(given_scores, a) == pytest.approx(1)


@given(scores, st.floats(0, 1))
def test_a_threshold_keeps_its_promise_and_is_the_best_that_does(
    given_scores: np.ndarray, target: float
) -> None:
    strict = threshold_at_fmr(given_scores, target)
    assert fmr(given_scores, np.float32(strict)) <= target + 1e-9
    lower = given_scores[given_scores < strict]
    if len(lower):
        assert fmr(given_scores, lower.max()) > target - 1e-9
    loose = threshold_at_bpcer(given_scores, target)
    if target < 1:
        assert bpcer(given_scores, loose) <= target + 1e-9
    higher = given_scores[given_scores > loose]
    if len(higher):
        assert bpcer(given_scores, np.nextafter(np.float32(loose), np.float32(9))) > target - 1e-9


@given(scores, scores, scores, st.sampled_from([0.0, 0.05, 0.1, 0.5]))
def test_the_weighted_form_agrees_where_all_weigh_the_same(
    live: np.ndarray, printed: np.ndarray, replayed: np.ndarray, target: float
) -> None:
    species = np.repeat(["", "print", "replay"], [len(live), len(printed), len(replayed)])
    everything = np.concatenate([live, printed, replayed])
    figure = BpcerAtApcer(everything, species, target)
    expected = bpcer_at_apcer({"print": printed, "replay": replayed}, live, target)
    assert figure() == pytest.approx(expected)
    assert figure(np.full(len(everything), 3.0)) == pytest.approx(expected)


def test_the_asked_for_figures_by_hand() -> None:
    accepted = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], bool)
    positive = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    counts = Decisions.of(accepted, positive)
    assert (counts.true_accepts, counts.false_rejects) == (3, 1)
    assert (counts.false_accepts, counts.true_rejects) == (1, 5)
    assert counts.accuracy == 0.8
    assert counts.precision == counts.recall == counts.f1 == 0.75
    assert counts.far == pytest.approx(1 / 6)
    assert counts.frr == 0.25
    assert Decisions(0, 0, 0, 4).recall is None
    assert Decisions(0, 0, 0, 4).precision is None
