"""Generalised rates, RIAPAR, ACER and differentials between groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from vultus.metrics import (
    Decisions,
    acer,
    garbe,
    generalised_fmr,
    generalised_fnmr,
    gini,
    riapar,
    worst_to_best,
)

shares = st.floats(0, 1)
rates = st.lists(st.floats(1e-6, 1), min_size=2, max_size=8)


def test_generalised_rates_count_attempts() -> None:
    """1,000 attempts: 20 of people never enrolled, 49 without a face, 93 of the rest refused."""
    fte, fta, fnmr = 20 / 1000, 49 / 980, 93 / 931
    assert generalised_fnmr(fnmr, fta=fta, fte=fte) == pytest.approx((20 + 49 + 93) / 1000)
    assert generalised_fmr(7 / 931, fta=fta, fte=fte) == pytest.approx(7 / 1000)


@settings(max_examples=40, deadline=None)
@given(shares, shares, shares)
def test_a_failure_to_acquire_refuses_everybody(rate: float, fta: float, fte: float) -> None:
    assert generalised_fmr(rate, fta=fta, fte=fte) <= rate
    assert generalised_fnmr(rate, fta=fta, fte=fte) >= rate - 1e-12
    assert generalised_fnmr(rate) == pytest.approx(rate)
    assert generalised_fnmr(rate, fta=1) == 1


def test_riapar_and_acer() -> None:
    assert riapar(0.0, 0.03) == 0.03  # no attack gets in: what is left is the false rejects
    assert riapar(0.97, 0.03) == 1  # an attack gets in as often as its subject does
    assert acer(0.1, 0.3) == pytest.approx(0.2)


def test_differentials_by_hand() -> None:
    values = [0.01, 0.02, 0.03]
    assert worst_to_best(values) == pytest.approx(3)
    # Differences 1, 1, 2 of each pair, twice: 8 / (2 · 3 · 2 · 2) = 1 / 3.
    assert gini(values) == pytest.approx(1 / 3)
    assert garbe(values, [0.1, 0.1, 0.1]) == pytest.approx(1 / 6)
    assert gini([0, 0, 0, 0.4]) == pytest.approx(1)
    assert gini([0.0, 0.0]) == 0
    assert worst_to_best([0.0, 0.1]) == float("inf")
    assert np.isnan([worst_to_best([0.1]), gini([0.1]), worst_to_best([0.0, 0.0])]).all()


@settings(max_examples=40, deadline=None)
@given(rates, st.floats(0.001, 1000))
def test_differentials_see_proportions_alone(values: list[float], factor: float) -> None:
    scaled = [factor * value for value in values]
    assert 0 <= gini(values) <= 1 + 1e-9
    assert gini(scaled) == pytest.approx(gini(values), abs=1e-9)
    assert gini(values[::-1]) == pytest.approx(gini(values), abs=1e-9)
    assert worst_to_best(scaled) == pytest.approx(worst_to_best(values))
    assert gini([values[0]] * len(values)) == pytest.approx(0, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_familiar_figures_are_those_of_others(trials: list[tuple[bool, bool]]) -> None:
    accepted, positive = (np.array(column) for column in zip(*trials, strict=True))
    precision, recall, f1, _ = precision_recall_fscore_support(
        positive, accepted, average="binary", pos_label=True, zero_division=np.nan
    )
    counts = Decisions.of(accepted, positive)
    for ours, theirs in ((counts.precision, precision), (counts.recall, recall), (counts.f1, f1)):
        assert ours == pytest.approx(theirs, abs=1e-9) if ours is not None else np.isnan(theirs)
    assert counts.accuracy == pytest.approx(float((accepted == positive).mean()))
