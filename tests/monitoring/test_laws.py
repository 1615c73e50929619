"""Laws of the statistics: alarms where nothing changed are as rare as said; known shifts are found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from monitoring.drift import compute
from monitoring.findings import Statistics, findings_of, holm, permuted_findings
from monitoring.onset import largest_segment, onset_of
from monitoring.params import MonitorParams
from monitoring.population import sketch_distance, variation_distance
from monitoring.reference import Reference
from monitoring.security import attacks_in, binomial_tail
from monitoring.strata import Sample, Stratum, samples_of
from monitoring.window import Window
from support.traffic import MONDAY, Door, traffic

PARAMS = MonitorParams()
MATCH = Stratum("verify", "match")


def sample(reference: np.ndarray, current: np.ndarray, column: str = "score") -> Sample:
    start = np.datetime64("2026-03-02T08:00:00.000", "ms")
    times = start + np.arange(len(current)) * np.timedelta64(60_000, "ms")
    return Sample(column, MATCH, reference.astype(float), current.astype(float), times)


def by_scipy(one: Sample) -> Statistics:
    """What Evidently computes, a hundred times faster (`test_evidently_computes_…`)."""
    spread = max(float(one.reference.std()), 1e-3)
    return Statistics(
        float(stats.ks_2samp(one.reference, one.current).pvalue),
        float(stats.wasserstein_distance(one.reference, one.current)) / spread,
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    raw = np.array(p)
    adjusted = holm(raw)
    assert np.all(adjusted >= raw)
    order = np.argsort(raw, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)


def test_holm_is_the_hand_calculation() -> None:
    # 0.01*4, 0.02*3, 0.03*2 -> stays at 0.06, 0.5*1
    assert holm(np.array([0.5, 0.01, 0.03, 0.02])).tolist() == pytest.approx(
        [0.5, 0.04, 0.06, 0.06]
    )


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=25))
def test_the_segment_has_the_largest_sum_of_all(values: list[float]) -> None:
    numbers = np.array(values)
    first, last = largest_segment(numbers)
    sums = [numbers[a:b].sum() for a in range(len(values)) for b in range(a + 1, len(values) + 1)]
    assert numbers[first:last].sum() == pytest.approx(max(sums), abs=1e-9)


@pytest.mark.parametrize(("count", "n", "share"), [(3, 10, 0.2), (1, 50, 0.01), (40, 50, 0.9)])
def test_the_binomial_tail_is_scipys(count: int, n: int, share: float) -> None:
    assert binomial_tail(count, n, share) == pytest.approx(stats.binom.sf(count - 1, n, share))


def test_two_halves_of_one_window_differ_no_more_often_than_said() -> None:
    """100 days of 1,600 requests, each against its own other half: 31 columns, sketches, decisions
    and attacks a day. At 1 % a pass, 5 alarms or more have a probability of 0.4 %."""
    alarms = 0
    for seed in range(100):
        rows = traffic(Door(rows=1600, seed=seed))
        even = np.arange(rows.num_rows) % 2 == 0
        window, reference = Window(rows.filter(even)), Reference("half", True, rows.filter(~even))
        # The size of an effect is switched off: significance alone must keep the promise.
        strict = replace_params(
            effect=0.0, score_floor=0.0, quality_floor=0.0, latency_floor_ms=0.0
        )
        samples, _ = samples_of(window, reference, strict)
        found = findings_of(samples, [by_scipy(one) for one in samples], strict)
        drifted = any(one.drifted for one in found)
        alarms += drifted or attacks_in(window, reference, strict).alarming
    assert alarms < 5


def replace_params(**changes: float) -> MonitorParams:
    return MonitorParams.model_validate({**PARAMS.model_dump(), **changes})


def test_a_permutation_p_is_uniform_where_nothing_changed() -> None:
    params = replace_params(permutations=200, false_alarm_rate=0.4)
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        people = np.where(rng.normal(0, 1, (200, 16)) >= 0, 1, -1).astype(np.int8)
        found.append(sketch_distance(people[:100], people[100:], params)[1])
        found.append(variation_distance(*rng.multinomial(300, [0.7, 0.2, 0.1], 2), params)[1])
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert min(found) > 0


@pytest.mark.parametrize("shift", [0.7, 1.0, -0.8])
def test_a_shift_of_known_size_is_found_and_its_size_and_time_told(shift: float) -> None:
    rng = np.random.default_rng(7)
    before = rng.normal(0.6, 0.1, 800)
    now = np.concatenate([rng.normal(0.6, 0.1, 200), rng.normal(0.6 + 0.1 * shift, 0.1, 400)])
    one = sample(before, now)
    (found,) = findings_of([one], [by_scipy(one)], PARAMS)
    assert found.drifted
    assert found.onset is not None
    assert found.onset.ongoing
    assert not found.onset.whole
    assert found.onset.now - found.onset.before == pytest.approx(0.1 * shift, abs=0.03)
    began = datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + timedelta(minutes=200)
    tolerance = timedelta(minutes=20 if abs(shift) < 1 else 8)
    assert abs(found.onset.start - began) <= tolerance


def test_a_change_that_is_over_has_an_end() -> None:
    rng = np.random.default_rng(8)
    now = np.concatenate([rng.normal(90, 4, 200), rng.normal(60, 4, 100), rng.normal(90, 4, 200)])
    onset = onset_of(sample(rng.normal(90, 4, 500), now, "quality_under_exposure_prevention"))
    assert not onset.ongoing
    assert (onset.start.hour, onset.end.hour) == (11, 12)  # minutes 200 to 299 after 08:00


def test_a_significant_change_that_is_too_small_to_matter_is_none() -> None:
    rng = np.random.default_rng(9)
    one = sample(rng.normal(0.6, 0.1, 20_000), rng.normal(0.61, 0.1, 20_000))
    (found,) = findings_of([one], [by_scipy(one)], PARAMS)
    assert found.p < 1e-6
    assert not found.drifted


def test_scores_of_another_model_version_are_not_compared() -> None:
    models = ("vultus-recognition/2", "vultus-pad/1")
    old = traffic(Door(rows=400, models=("vultus-recognition/1", "vultus-pad/1")))
    reference = Reference(
        "x",
        True,
        traffic(Door(rows=400, seed=2, models=models)),
        {"vultus-recognition": models[0], "vultus-pad": models[1]},
    )
    samples, _ = samples_of(Window(old), reference, PARAMS)
    columns = {one.column for one in samples}
    assert not columns & {"score", "margin"}
    assert {"pad_score", "quality_sharpness"} <= columns


def test_thin_strata_are_named_and_not_compared() -> None:
    day = traffic(Door(rows=300, seed=4))
    samples, thin = samples_of(
        Window(day), Reference("x", True, traffic(Door(rows=900))), replace_params(min_rows=60)
    )
    named = {one.stratum for one in thin}
    assert named
    assert not named & {one.stratum for one in samples}
    assert all(one.current < 60 or one.reference < 60 for one in thin)


@pytest.mark.slow
def test_evidently_computes_what_the_laws_were_tested_with() -> None:
    """Also with samples of different lengths, which share one table."""
    reference = Reference("x", True, traffic(Door(rows=500)))
    day = Door(rows=700, seed=5, start=MONDAY + timedelta(days=1))
    samples, _ = samples_of(Window(traffic(replace(day, dark=0.2))), reference, PARAMS)
    assert len({one.current.size for one in samples}) > 1
    for one, theirs in zip(samples, compute(samples, PARAMS).statistics, strict=True):
        ours = by_scipy(one)
        assert theirs.ks_p == pytest.approx(ours.ks_p, rel=1e-9)
        assert theirs.wasserstein == pytest.approx(ours.wasserstein, rel=1e-6)


def test_nobody_is_judged_by_a_laboratorys_people() -> None:
    from monitoring.population import population_tests

    lab = traffic(Door(rows=400, population=1))
    door = Window(traffic(Door(rows=400, population=9, seed=6)))
    for live in (False, True):
        tests = population_tests(door, Reference("x", live, lab), PARAMS)
        assert [one.drifted for one in permuted_findings(tests, PARAMS)] == [live, live]
