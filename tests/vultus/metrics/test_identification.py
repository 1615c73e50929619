"""1:N figures: by hand, against scikit-learn, and laws of the open set."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score

from vultus.errors import NoTrials
from vultus.metrics import (
    Searches,
    chance_among,
    clopper_pearson,
    cumulative_match,
    fmr_from_fpir,
    fnir,
    fpir,
    fpir_from_fmr,
)


def test_by_hand() -> None:
    """Gallery of A (two references), B, C; probes of A, B, B, and of D, who is not enrolled."""
    gallery = np.array([0, 0, 1, 2])
    scores = np.array(
        [[0.2, 0.9, 0.3, 0.1], [0.1, 0.4, 0.5, 0.6], [0.0, 0.0, 0.7, 0.7], [0.3, 0.6, 0.2, 0.2]]
    )
    found = Searches.of(scores, gallery, np.array([0, 1, 1, 3]))
    assert found.mate_rank.tolist() == [1, 2, 2, 0]  # a tie counts against the mate
    assert found.mate_score[:3].tolist() == [0.9, 0.5, 0.7]
    assert np.isnan(found.mate_score[3])
    assert found.other_score.tolist() == [0.3, 0.6, 0.7, 0.6]
    assert cumulative_match(found.mate_rank[found.mated], 3).tolist() == [1 / 3, 1, 1]
    assert fnir(found, 0.6) == pytest.approx(1 / 3)  # 0.5 is below
    assert fnir(found, 0.6, rank=1) == pytest.approx(2 / 3)  # 0.7 is only second
    assert fpir(found.other_score[~found.mated], 0.6) == 1
    assert fpir(found.other_score[~found.mated], 0.61) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(3, 12), st.integers(2, 30), st.integers(1, 4))
def test_a_cmc_is_the_top_k_accuracy_of_others(
    seed: int, people: int, probes: int, most: int
) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.normal(size=(probes, people)), rng.integers(0, people, probes)
    found = Searches.of(scores, np.arange(people), truth)
    curve = cumulative_match(found.mate_rank, most)
    assert (np.diff(curve) >= 0).all()
    for k in range(1, min(most, people - 1) + 1):
        expected = top_k_accuracy_score(truth, scores, k=k, labels=np.arange(people))
        assert curve[k - 1] == pytest.approx(expected, abs=1e-9)
    assert cumulative_match(found.mate_rank, people)[-1] == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(-2, 2))
def test_a_larger_gallery_never_helps(seed: int, threshold: float) -> None:
    rng = np.random.default_rng(seed)
    scores, probes = rng.normal(size=(20, 10)), rng.integers(0, 4, 20)
    small = Searches.of(scores[:, :5], np.arange(5), probes)
    large = Searches.of(scores, np.arange(10), probes)
    assert (large.mate_rank >= small.mate_rank).all()
    assert fpir(large.other_score, threshold) >= fpir(small.other_score, threshold)
    assert fnir(large, threshold) == fnir(small, threshold)
    assert fnir(large, threshold, rank=1) >= fnir(small, threshold, rank=1)


def test_independent_comparisons_give_the_fpir_that_the_formula_says() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random((20_000, 50))  # uniform: FMR at t is 1 - t
    found = Searches.of(scores, np.arange(50), np.full(20_000, 99))
    expected = fpir_from_fmr(0.002, 50)
    assert expected == pytest.approx(1 - 0.998**50)
    low, high = clopper_pearson(int((found.other_score >= 0.998).sum()), 20_000, 0.9999)
    assert low <= expected <= high


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-9, 0.5), st.integers(1, 10**7))
def test_fmr_and_fpir_are_each_others_inverse(rate: float, gallery: int) -> None:
    assert fpir_from_fmr(fmr_from_fpir(rate, gallery), gallery) == pytest.approx(rate, rel=1e-9)
    assert fmr_from_fpir(rate, gallery) >= rate / gallery * (1 - 1e-9)  # Bonferroni is stricter


def test_no_figure_without_a_search() -> None:
    nobody = Searches.of(np.zeros((2, 1)), np.array([0]), np.array([5, 6]))
    with pytest.raises(NoTrials):
        fnir(nobody, 0)
    with pytest.raises(NoTrials):
        fpir(np.empty(0), 0)
    with pytest.raises(NoTrials):
        cumulative_match(np.empty(0, np.int64), 3)


@pytest.mark.parametrize("drawn", range(8))
def test_the_chance_of_a_gallery_is_the_share_of_all_galleries(drawn: int) -> None:
    """Of 7 others, of whom the first k are known: every gallery of so many, counted."""
    found = chance_among(np.arange(8), 7, drawn)
    assert found[0] == 0  # exactly: a rate without any error is given by the rule of 3
    galleries = list(combinations(range(7), drawn))
    for known in range(8):
        share = np.mean([any(one < known for one in gallery) for gallery in galleries])
        assert found[known] == pytest.approx(share, abs=1e-12)
