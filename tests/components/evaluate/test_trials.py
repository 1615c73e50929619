"""Which trials there are, how they are drawn, and the operating points they give."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.evaluate.comparisons import _in_turn, _pairs
from components.evaluate.figures import rate_figure, units
from components.evaluate.operating import Negatives, operating_points
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import fair_draw
from components.evaluate.recognition import exponent, threshold_at
from vultus.contracts.words import Verdict
from vultus.metrics import Calibration, clopper_pearson, fmr

groups = arrays.arrays(np.int64, st.integers(1, 60), elements=st.integers(0, 5))


@given(groups, st.integers(1, 70), st.integers(0, 9))
def test_a_draw_is_fair_and_repeatable(codes: np.ndarray, limit: int, seed: int) -> None:
    for drawn in (fair_draw(codes.tolist(), limit, seed), _in_turn(codes, limit, seed)):
        assert len(set(drawn.tolist())) == len(drawn) == min(limit, len(codes))
        taken = {g: int((codes[drawn] == g).sum()) for g in set(codes.tolist())}
        left = [n for g, n in taken.items() if n < (codes == g).sum()]
        assert not left or max(taken.values()) <= min(left) + 1
    assert np.array_equal(_in_turn(codes, limit, seed), _in_turn(codes, limit, seed))


def test_every_mated_pair_is_kept_and_others_are_capped() -> None:
    subjects = np.repeat(np.arange(10), 6)
    first, second = _pairs(subjects, EvaluateParams(non_mated=90))
    mated = subjects[first] == subjects[second]
    assert mated.sum() == 10 * 15
    assert (~mated).sum() == 90
    pairs = {(int(subjects[a]), int(subjects[b])) for a, b in zip(first, second, strict=True)}
    assert len(pairs) == 10 + 45  # two of each pair of people
    whole = _pairs(subjects, EvaluateParams())
    assert len(whole[0]) == 60 * 59 // 2


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 200), st.integers(2, 400))
def test_operating_points_say_what_the_scores_say(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=count), 2).astype(np.float32)  # ties
    kind = Negatives(scores, rng.integers(0, 9, count), rng.integers(0, 9, count))
    points = operating_points([kind], Calibration(2.0, -1.0), EvaluateParams(replicates=50))
    found = {name: points[name].to_numpy() for name in points.column_names}
    assert (np.diff(found["score"]) < 0).all()
    assert (np.diff(found["fmr"]) >= 0).all()
    assert found["fmr"][0] == 0
    assert found["fmr_high"][0] >= clopper_pearson(0, count).high
    assert (found["fmr_high"] >= found["fmr"]).all()
    for score, rate in zip(found["score"], found["fmr"], strict=True):
        assert rate == pytest.approx(fmr(scores, score), abs=1e-12)
    assert found["llr"] == pytest.approx(2 * found["score"] - 1, abs=1e-5)
    chosen = threshold_at(points, 0.1)
    assert fmr(scores, np.float32(chosen)) <= 0.1


def test_of_several_species_the_worst_counts() -> None:
    ones = np.zeros(4, np.int64)
    harmless = Negatives(np.array([0.1, 0.1, 0.2, 0.2], np.float32), ones, None)
    dangerous = Negatives(np.array([0.1, 0.6, 0.7, 0.8], np.float32), ones, None)
    points = operating_points([harmless, dangerous], Calibration(1, 0), EvaluateParams())
    at = threshold_at(points, 0.5)
    assert 0.6 < at <= 0.7


def test_without_an_error_people_are_counted_not_pictures() -> None:
    """Three people, 600 comparisons, none accepted: three pairs of people say no more than 3 / 3."""
    first, second = np.tile([0, 0, 1], 200), np.tile([1, 2, 2], 200)
    assert units(first, second) == units(second, first) == 3
    assert units(first, None) == 2
    figure = rate_figure("fmr", np.zeros(600, bool), first, second, EvaluateParams(), at_most=0.01)
    assert (figure.value, figure.high, figure.n) == (0, 1, 600)
    assert figure.verdict is Verdict.NOT_ENOUGH_DATA
    many = rate_figure("fmr", np.zeros(600, bool), np.arange(600), None, EvaluateParams())
    assert many.high == pytest.approx(clopper_pearson(0, 600).high)  # above 3 / 600


def test_names_of_operating_points() -> None:
    assert [exponent(v) for v in (0.01, 0.001, 0.0025)] == ["1e-2", "1e-3", "2.5e-3"]
