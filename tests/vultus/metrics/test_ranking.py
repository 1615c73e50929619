"""EER, AUC and DET: hand calculation, laws, and weights that stand for repeated trials."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import roc_auc_score

from vultus.errors import NoTrials
from vultus.metrics import Ranking, auc, det, equal_error_rate, fmr, fnmr

trials = st.integers(4, 30).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.integers(0, 9).map(float)),
        arrays.arrays(bool, n).filter(lambda a: a.any() and not a.all()),
    )
)


def _joined(higher: list[float], lower: list[float]) -> tuple[np.ndarray, np.ndarray]:
    return np.array(higher + lower), np.repeat([True, False], [len(higher), len(lower)])


def test_by_hand() -> None:
    scores, positive = _joined([0.9, 0.8, 0.4, 0.3], [0.7, 0.4, 0.2, 0.1])
    assert auc(scores, positive) == pytest.approx(12.5 / 16)  # 4 + 4 + 2.5 + 2 of 16 pairs
    # Above 0.3: 1 of 4 refused, 2 of 4 accepted. Above 0.4: 2 of 4 and 1 of 4. Halfway: 3/8.
    assert equal_error_rate(scores, positive) == pytest.approx(0.375)
    assert equal_error_rate(*_joined([2, 3], [0, 1])) == 0
    assert equal_error_rate(*_joined([0, 1], [2, 3])) == 1
    assert equal_error_rate(*_joined([1, 1], [1, 1])) == 0.5


@given(trials)
def test_auc_is_the_one_of_others(case: tuple[np.ndarray, np.ndarray]) -> None:
    assert auc(*case) == pytest.approx(roc_auc_score(case[1], case[0]))


@given(trials)
def test_turning_scores_and_labels_round_changes_nothing(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, positive = case
    assert equal_error_rate(-scores, ~positive) == pytest.approx(equal_error_rate(scores, positive))
    assert auc(-scores, positive) == pytest.approx(1 - auc(scores, positive))
    assert auc(np.exp(scores), positive) == pytest.approx(auc(scores, positive))


@given(trials, st.data())
def test_a_weight_stands_for_so_many_trials(
    case: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    scores, positive = case
    weights = data.draw(arrays.arrays(np.int64, len(scores), elements=st.integers(1, 3)))
    repeated = Ranking(np.repeat(scores, weights), np.repeat(positive, weights))
    weighted = Ranking(scores, positive)
    given_weights = weights.astype(np.float64)
    assert weighted.equal_error_rate(given_weights) == pytest.approx(repeated.equal_error_rate())
    assert weighted.auc(given_weights) == pytest.approx(repeated.auc())


@given(trials)
def test_the_det_curve_holds_the_rates_of_every_threshold(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    scores, positive = case
    curve = det(scores, positive)
    for threshold, accepted, rejected in zip(curve.threshold, curve.fmr, curve.fnmr, strict=True):
        assert accepted == pytest.approx(fmr(scores[~positive], threshold), abs=1e-12)
        assert rejected == pytest.approx(fnmr(scores[positive], threshold), abs=1e-12)
    assert (np.diff(curve.fmr) <= 0).all()
    assert (np.diff(curve.fnmr) >= 0).all()
    assert (curve.fmr[0], curve.fnmr[-1]) == (1, 1)


def test_one_kind_alone_has_no_figure() -> None:
    scores, positive = _joined([1.0, 2.0], [])
    assert np.isnan(equal_error_rate(scores, positive))
    assert np.isnan(auc(scores, positive))
    with pytest.raises(NoTrials):
        det(scores, positive)
