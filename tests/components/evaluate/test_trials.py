"""Which trials there are, how they are drawn, and the operating points they give."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pydantic import ValidationError

from components.evaluate import comparisons
from components.evaluate.comparisons import Comparisons, _groups, _in_turn, _pairs
from components.evaluate.figures import familiar_figures, rate_figure, units
from components.evaluate.groups import differentials, judged_groups
from components.evaluate.levels import Level, exponent, levels_of, rates_at, threshold_at
from components.evaluate.operating import Negatives, operating_points
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import fair_draw
from components.evaluate.recognition import _curves, _drawn
from vultus.contracts.words import Split, Verdict
from vultus.metrics import Calibration, Everybody, clopper_pearson, fmr

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


@pytest.mark.parametrize("wrong", [{"fmr": 0}, {"fmrs": []}, {"max_bpcer": 1}, {"tresholds": 1}])
def test_a_wrong_param_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        EvaluateParams.model_validate(wrong)


def _faces(sexes: list[str], pictures: int, ita: list[float], seed: int = 0) -> Comparisons:
    """Comparisons of people whose embeddings are drawn; no picture, no encoder."""
    rng = np.random.default_rng(seed)
    owners = np.repeat(np.arange(len(sexes)), pictures)
    vectors = rng.normal(size=(len(owners), 8)) + 2 * rng.normal(size=(len(sexes), 8))[owners]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [
        {
            "subject": f"person-{owner}",
            "chip_sha256": f"{place:064x}",
            "attributes": [("sex", sexes[owner])],
            "ita_deg": ita[owner],
        }
        for place, owner in enumerate(owners)
    ]
    first, second = np.triu_indices(len(owners), 1)
    scores = (vectors[first] * vectors[second]).sum(axis=1).astype(np.float32)
    embeddings = vectors.astype(np.float32)
    return Comparisons(Split.TEST, rows, embeddings, owners, first, second, scores, _groups(rows))


def test_values_count_everything_where_replicates_hold_a_draw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the whole and of a group, as if all had been listed."""
    listed = _faces(["f"] * 5 + ["m"] * 5, 4, [60.0] * 10)
    every = Everybody(listed.embeddings, listed.subjects)
    params = EvaluateParams(replicates=60)
    monkeypatch.setattr(comparisons, "MOST", 300)
    whole = replace(listed, every=every).whole(seed=0)
    assert 200 < (~whole.mated).sum() < 400 < every.non_mated
    for name in ("all", "sex=f"):
        part, all_ = (t if name == "all" else t.in_slice(name) for t in (whole, listed))
        (eer, *_), (known, *_) = (_curves(t, params, name, _drawn(t, params)) for t in (part, all_))
        assert eer.n == known.n == len(all_.scores)
        assert eer.value == pytest.approx(known.value, abs=1e-6)
        assert "interval from a draw" in eer.method
        realised = rates_at(Level(1e-2, 0.3, 0.0, True), part, params, name, requirements=False)[1]
        others = all_.scores[~all_.mated]
        assert (realised.n, realised.slice) == (len(others), name)
        assert realised.value == pytest.approx((others >= np.float32(0.3)).mean(), abs=1e-9)


def test_groups_are_judged_at_one_threshold_and_thin_ones_left_out() -> None:
    """Six women, six men, one other; the skin estimate has two bands. Rates by hand."""
    trials = _faces(["f"] * 6 + ["m"] * 6 + ["x"], 5, [60.0] * 7 + [20.0] * 6)
    params = EvaluateParams(replicates=100)
    assert judged_groups(trials, params.min_slice) == {
        "sex": ["sex=f", "sex=m"],
        "skin_estimate": ["skin_estimate=tan", "skin_estimate=very light"],
    }
    figures = {(f.name, f.slice): f for f in differentials(trials, 0.6, params)}
    rates = []
    for name in ("sex=f", "sex=m"):
        part = trials.in_slice(name)
        accepted = part.scores >= np.float32(0.6)
        rates.append((1 - accepted[part.mated].mean(), accepted[~part.mated].mean()))
    (fnmr_f, fmr_f), (fnmr_m, fmr_m) = rates
    ratio = figures["fnmr_worst_to_best", "sex"]
    assert ratio.value == pytest.approx(max(fnmr_f, fnmr_m) / min(fnmr_f, fnmr_m))
    apart = [abs(a - b) / (a + b) for a, b in ((fnmr_f, fnmr_m), (fmr_f, fmr_m))]
    aggregate = figures["garbe", "sex"]
    assert aggregate.value == pytest.approx(
        sum(apart) / 2
    )  # of two groups, Gini is |a - b| / (a + b)
    assert aggregate.low is not None
    assert aggregate.high is not None
    assert 0 <= aggregate.low <= aggregate.high <= 1


def test_a_group_without_an_error_has_no_ratio() -> None:
    trials = _faces(["f"] * 6 + ["m"] * 6, 5, [60.0] * 12)
    figures = {f.name: f for f in differentials(trials, -1.0, EvaluateParams(replicates=60))}
    assert figures["fnmr_worst_to_best"].value is None  # all accepted: nobody is refused
    assert "no group has an error" in figures["fnmr_worst_to_best"].method
    assert figures["fmr_worst_to_best"].value == pytest.approx(1)
    assert figures["garbe"].value == 0


def test_a_level_that_the_trials_cannot_carry_gets_no_threshold() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000).astype(np.float32)
    kind = Negatives(scores, np.arange(4000), np.arange(4000) + 1)
    params = EvaluateParams(replicates=50, fmrs=(1e-2,), fmr=1e-2)
    points = operating_points([kind], Calibration(2.0, -1.0), params)
    levels = levels_of(points, len(scores), params)
    assert [level.fmr for level in levels] == [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
    assert [level.threshold is None for level in levels] == [False, False, True, True, True]
    for level in levels[:2]:
        assert level.threshold is not None
        assert level.llr == pytest.approx(2 * level.threshold - 1, abs=1e-5)
        assert not level.shown  # as many are accepted as allowed, so the bound lies above
    asked = levels_of(points, len(scores), EvaluateParams(fmrs=(1e-5,), levels=()))
    assert asked[-1].threshold == pytest.approx(float(scores.max()), abs=1e-6)


def test_familiar_shares_are_mirrored_where_nothing_went_wrong() -> None:
    """Three people, no error: right answers reach down to 1 - 3/3, not to a narrow interval."""
    positive = np.tile([True, False], 60)
    people = np.tile([0, 1, 2], 40)
    found = {
        f.name: f for f in familiar_figures(positive, positive, people, None, EvaluateParams())
    }
    assert [f"{found[n].value:g}" for n in ("accuracy", "precision", "recall", "f1")] == ["1"] * 4
    for name in ("accuracy", "f1"):
        assert (found[name].low, found[name].high) == (0, 1)
    assert (found["far"].value, found["frr"].value) == (0, 0)
    assert found["precision"].n == found["recall"].n == 60
