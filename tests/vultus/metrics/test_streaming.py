"""Counted scores give the figures of the same scores in one array, exactly, whatever the chunks."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import roc_auc_score, roc_curve

from vultus.errors import BadParameter, NoTrials
from vultus.metrics import (
    ComparisonCounts,
    Ranking,
    ScoreCounts,
    count_pairs,
    fmr,
    fnmr,
    threshold_at_fmr,
)
from vultus.metrics import counts as counting

# Ties, both signs, both zeros, the smallest and the largest of their kind.
numbers = st.one_of(
    st.integers(-6, 6).map(lambda step: step / 8),
    st.floats(-1, 1, width=32),
    st.sampled_from([-0.0, 1e-45, -1e-45, 3e38, -3e38, float("inf"), float("-inf")]),
)
scores = arrays.arrays(np.float32, st.integers(1, 40), elements=numbers)
mixed = st.integers(4, 40).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float32, n, elements=st.integers(-9, 9).map(lambda v: v / 8)),
        arrays.arrays(bool, n).filter(lambda a: a.any() and not a.all()),
    )
)


def _counted(values: np.ndarray, mated: np.ndarray) -> ComparisonCounts:
    counts = ComparisonCounts()
    counts.add(values, mated)
    return counts


def _same(one: ScoreCounts, two: ScoreCounts) -> bool:
    pages = one.pages()
    return pages == two.pages() and all((one.counts(p) == two.counts(p)).all() for p in pages)


@settings(max_examples=40, deadline=None)
@given(scores, st.one_of(st.floats(-1, 1), numbers))
def test_counts_at_a_threshold_and_at_a_rank(values: np.ndarray, threshold: float) -> None:
    counts = ScoreCounts()
    counts.add(values)
    assert counts.accepted(threshold) == (values.astype(np.float64) >= threshold).sum()
    ordered = np.sort(values)[::-1]
    assert [counts.highest(rank) for rank in range(len(values))] == ordered.tolist()
    with pytest.raises(NoTrials):
        counts.highest(len(values))


@settings(max_examples=40, deadline=None)
@given(mixed, st.sampled_from([0.0, 0.01, 0.1, 0.34, 0.5, 1.0]))
def test_streaming_says_what_one_array_says(
    case: tuple[np.ndarray, np.ndarray], target: float
) -> None:
    values, mated = case
    counts, ranking = _counted(values, mated), Ranking(values, mated)
    assert counts.equal_error_rate() == pytest.approx(ranking.equal_error_rate(), abs=1e-12)
    assert counts.auc() == pytest.approx(roc_auc_score(mated, values), abs=1e-12)
    threshold = threshold_at_fmr(values[~mated], target)
    assert counts.threshold_at_fmr(target) == threshold
    point = np.float32(threshold)
    assert counts.fmr(threshold) == pytest.approx(fmr(values[~mated], point), abs=1e-12)
    assert counts.fnmr(threshold) == pytest.approx(fnmr(values[mated], point), abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(mixed)
def test_every_point_is_one_of_an_independent_roc_curve(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    values, mated = case
    counts = _counted(values, mated)
    for false, true, threshold in zip(
        *roc_curve(mated, values, drop_intermediate=False), strict=True
    ):
        assert counts.fmr(float(threshold)) == pytest.approx(false, abs=1e-9)
        assert 1 - counts.fnmr(float(threshold)) == pytest.approx(true, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(scores, scores, scores)
def test_the_order_of_chunks_and_merges_does_not_matter(
    a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> None:
    def of(*chunks: np.ndarray) -> ScoreCounts:
        counts = ScoreCounts()
        for chunk in chunks:
            counts.add(chunk)
        return counts

    left, right = of(a), of(b)
    left.merge(of(b))
    left.merge(of(c))
    right.merge(of(c))
    whole = of(a)
    whole.merge(right)
    assert _same(left, whole)
    assert _same(left, of(c, b, a))
    assert _same(left, of(np.concatenate([a, b, c])))
    assert _same(left, pickle.loads(pickle.dumps(left)))  # noqa: S301 - our own bytes


@settings(max_examples=20, deadline=None)
@given(mixed, st.integers(2, 5))
def test_every_trial_twice_changes_no_rate(case: tuple[np.ndarray, np.ndarray], times: int) -> None:
    values, mated = case
    once, often = _counted(values, mated), _counted(np.tile(values, times), np.tile(mated, times))
    assert once.equal_error_rate() == pytest.approx(often.equal_error_rate(), abs=1e-12)
    assert once.auc() == pytest.approx(often.auc(), abs=1e-12)
    assert once.fmr(0.25) == often.fmr(0.25)


@settings(max_examples=20, deadline=None)
@given(mixed)
def test_a_rising_transform_changes_no_rate_and_a_turned_one_swaps_them(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    values, mated = case
    plain, risen = _counted(values, mated), _counted(np.exp2(values), mated)
    turned = _counted(-values, ~mated)
    assert plain.equal_error_rate() == pytest.approx(risen.equal_error_rate(), abs=1e-12)
    assert plain.equal_error_rate() == pytest.approx(turned.equal_error_rate(), abs=1e-12)
    assert plain.auc() == pytest.approx(risen.auc(), abs=1e-12)
    assert plain.auc() == pytest.approx(turned.auc(), abs=1e-12)


def test_a_page_that_is_full_counts_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dense form, several chunks, and a page of one kind merged into one of the other."""
    monkeypatch.setattr(counting, "_CHUNK", 1000)
    monkeypatch.setattr(counting, "_DENSE_FROM", 3000)
    monkeypatch.setattr(counting, "_PIECES", 2)
    rng = np.random.default_rng(0)
    values = rng.normal(0.5, 0.002, 20_000).astype(np.float32)
    counts, few = ScoreCounts(), ScoreCounts()
    counts.add(values)
    few.add(values[:50])
    assert counts.scores == sum(counts.pages().values()) == 20_000
    ordered = np.sort(values)[::-1]
    assert [counts.highest(rank) for rank in range(0, 20_000, 997)] == ordered[::997].tolist()
    for one, two in ((few, counts), (counts, few)):
        both = ScoreCounts()
        both.merge(one)
        both.merge(two)
        assert both.accepted(0.5) == (values >= 0.5).sum() + (values[:50] >= 0.5).sum()
        assert both.scores == 20_050


def test_more_than_32_bits_of_one_score_are_counted() -> None:
    counts = ScoreCounts()
    counts.add(np.full(200_000, 0.5, np.float32))
    for _ in range(16):
        other = pickle.loads(pickle.dumps(counts))  # noqa: S301 - our own bytes
        counts.merge(other)
    assert counts.accepted(0.5) == counts.scores == 200_000 << 16 > 1 << 32
    assert counts.accepted(0.50001) == 0


def test_all_pairs_of_a_split_once_each() -> None:
    rng = np.random.default_rng(1)
    faces = rng.normal(size=(60, 8)).astype(np.float32)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    subjects = rng.integers(0, 9, 60)
    counts = ComparisonCounts()
    count_pairs(faces, subjects, counts, block=130)
    first, second = np.triu_indices(60, 1)
    mated = subjects[first] == subjects[second]
    values = (faces[first] * faces[second]).sum(axis=1)
    assert (counts.mated.scores, counts.non_mated.scores) == (mated.sum(), (~mated).sum())
    assert counts.fmr(0.3) == pytest.approx(float((values[~mated] >= 0.3).mean()), abs=1e-9)
    assert counts.auc() == pytest.approx(roc_auc_score(mated, values), abs=1e-9)


def test_what_is_no_score_is_refused() -> None:
    counts = ComparisonCounts()
    with pytest.raises(BadParameter, match="NaN"):
        counts.add(np.array([np.nan, 0], np.float32), np.ones(2, bool))
    with pytest.raises(BadParameter, match="float64"):
        counts.mated.add(np.zeros(2))
    assert counts.mated.scores == 0
    for ask in (counts.auc, counts.equal_error_rate, lambda: counts.det([0.1])):
        with pytest.raises(NoTrials):
            ask()
