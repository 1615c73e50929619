"""The quick bootstrap is the slow one: replicate by replicate, figure by figure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.metrics import (
    Ranking,
    Resampled,
    bootstrap_share,
    fnmr,
    percentiles,
    threshold_at_fmr,
    trial_weights,
)

_REPLICATES = 25


def _trials(seed: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties, mated bool, subjects of both sides."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 6, count)
    second = np.where(rng.random(count) < 0.3, first, rng.integers(0, 6, count))
    first[:2], second[:2] = [0, 1], [0, 0]  # one of each kind
    mated = first == second
    scores = np.round(rng.normal(0, 0.3, count) + 0.4 * mated, 1).astype(np.float32)
    return scores, mated, first, second


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(10, 120), st.booleans())
def test_each_replicate_is_the_one_of_the_weights(seed: int, count: int, pairs: bool) -> None:
    scores, mated, first, second = _trials(seed, count)
    other = second if pairs else None
    found = Resampled(scores, mated, first, other).run(
        replicates=_REPLICATES, seed=seed, fmrs=[0.05, 0.3], thresholds=[0.2, 0.5]
    )
    ranking, accepted = Ranking(scores, mated), scores >= np.float32(0.2)
    for r, weights in enumerate(trial_weights(first, other, replicates=_REPLICATES, seed=seed)):
        whole, rest = weights[mated].sum(), weights[~mated].sum()
        if not whole or not rest:
            assert np.isnan([found.eer[r], found.auc[r], *found.fnmr[r]]).all()
            continue
        assert found.eer[r] == pytest.approx(ranking.equal_error_rate(weights), abs=1e-9)
        assert found.auc[r] == pytest.approx(ranking.auc(weights), abs=1e-9)
        share = weights[accepted & ~mated].sum() / rest
        assert found.accepted[r, 0] == pytest.approx(share, abs=1e-9)
        refused = weights[~accepted & mated].sum() / whole
        assert found.refused[r, 0] == pytest.approx(refused, abs=1e-9)
        times = weights.astype(int)
        for place, target in enumerate([0.05, 0.3]):
            # Trials repeated by hand, and the figures of one array: another way to the same number.
            threshold = threshold_at_fmr(np.repeat(scores[~mated], times[~mated]), target)
            expected = fnmr(np.repeat(scores[mated], times[mated]), np.float32(threshold))
            assert found.fnmr[r, place] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 200), st.booleans())
def test_a_share_is_the_one_of_the_weights(seed: int, count: int, pairs: bool) -> None:
    _, errors, first, second = _trials(seed, count)
    other = second if pairs else None
    found = bootstrap_share(errors, first, other, replicates=_REPLICATES, seed=seed)
    for share, weights in zip(
        found, trial_weights(first, other, replicates=_REPLICATES, seed=seed), strict=True
    ):
        whole = weights.sum()
        expected = weights[errors].sum() / whole if whole else np.nan
        assert share == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_percentiles_want_half_of_the_replicates() -> None:
    nan = float("nan")
    assert percentiles(np.array([nan, nan, 1.0])) is None
    assert percentiles(np.empty(0)) is None
    assert percentiles(np.array([nan, 0.0, 1.0, 2.0]), 0.5) == (0.5, 1.5)
