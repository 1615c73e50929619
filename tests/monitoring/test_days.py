"""Days at a door, good and bad: what the operator's sentence says of them."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring.advice import advice
from monitoring.champions import champions_of
from monitoring.examination import Examination, examine
from monitoring.history import read_history
from monitoring.params import MonitorParams
from monitoring.reference import Reference, Share, freeze
from monitoring.security import attacks_in
from monitoring.watch import watch
from monitoring.window import Window, current_window
from support.champions import champion_home
from support.traffic import MONDAY, Door, change_at, traffic, write_log
from vultus.contracts.traffic import DriftReport

PARAMS = MonitorParams()
TUESDAY = Door(seed=2, rows=1200, start=MONDAY + timedelta(days=1))
NOW = TUESDAY.start + timedelta(hours=11)
LAB_BPCER = Share(0.016, 0.01, 0.024, 800)


def compared(table: object, *, live: bool = True) -> tuple[Examination, DriftReport]:
    """The reference is Monday, confirmed; or the same rows as a laboratory's."""
    reference = Reference("monday", live, traffic(Door(seed=1, rows=1500)), bpcer=LAB_BPCER)
    found = examine(Window(table), reference, PARAMS)
    return found, found.report()


@pytest.mark.slow
def test_a_normal_day_is_quiet() -> None:
    found, report = compared(traffic(TUESDAY))
    assert report.status == "ok"
    assert report.answer.startswith("No change: 1,200 requests")
    assert len(report.tests) > 40
    assert not any(test.drifted for test in report.tests)
    assert advice(found, report) == ["Nothing to do."]


@pytest.mark.slow
@pytest.mark.parametrize("live", [True, False])
def test_lights_out_at_two_is_told_with_its_time_and_what_came_with_it(live: bool) -> None:
    found, report = compared(change_at(TUESDAY, 6, dark=0.7), live=live)
    assert report.status == "drift"
    assert report.answer.startswith("Pictures got darker since 14:0")
    assert "under_exposure_prevention fell from 92 to 6" in report.answer
    assert "in verify/match" in report.answer
    assert "comparison scores fell" in report.answer
    assert ("evaluation data" in report.answer) is not live
    assert "lamp" in advice(found, report)[0]


@pytest.mark.slow
def test_other_people_are_told_as_such_and_not_as_bad_pictures() -> None:
    found, report = compared(change_at(TUESDAY, 6, population=9))
    assert report.status == "drift"
    assert report.answer.startswith(
        "Other people than in the reference stand at the camera since 1"
    )
    assert "pictures" not in report.answer
    assert "who comes now" in advice(found, report)[0]


@pytest.mark.slow
def test_a_slow_server_is_no_model_problem() -> None:
    found, report = compared(change_at(TUESDAY, 6, slow=3.0))
    assert report.answer.startswith("Answers got slower since 14:0")
    assert "ms" in report.answer
    assert "server" in advice(found, report)[0]


def test_attacks_are_counted_against_the_champions_own_refusals() -> None:
    lab = Reference("lab", False, traffic(Door(rows=300)), bpcer=LAB_BPCER)
    quiet = attacks_in(Window(traffic(TUESDAY)), lab, PARAMS)
    assert not quiet.alarming
    assert quiet.share is not None
    assert quiet.share.low < quiet.share.value < quiet.share.high
    loud = attacks_in(Window(change_at(TUESDAY, 6, attacks=0.12, device="door-2")), lab, PARAMS)
    assert loud.raised
    assert loud.device == "door-2"
    assert loud.onset is not None
    assert abs(loud.onset.start - (TUESDAY.start + timedelta(hours=6))) < timedelta(minutes=25)


def test_a_burst_in_a_day_of_usual_share_is_found_alone() -> None:
    import pyarrow as pa

    day = traffic(TUESDAY)
    burst = traffic(
        Door(
            rows=9,
            hours=0.1,
            seed=77,
            start=TUESDAY.start + timedelta(hours=4),
            attacks=1.0,
            device="door-3",
        )
    )
    together = pa.concat_tables([day, burst]).sort_by("ts")
    reference = Reference("monday", True, traffic(Door(seed=1, rows=1500)))
    found = attacks_in(Window(together), reference, PARAMS)
    assert found.burst is not None
    assert found.burst.device == "door-3"
    assert found.burst.attacks >= 8
    assert found.burst.end - found.burst.start <= timedelta(minutes=PARAMS.burst_minutes)
    alone = attacks_in(Window(day), reference, PARAMS)
    assert alone.burst is None


def test_without_a_reference_no_share_is_called_high() -> None:
    nothing = Reference("none", False, traffic(Door(rows=0)))
    found = attacks_in(Window(traffic(replace(TUESDAY, attacks=0.3))), nothing, PARAMS)
    assert not found.raised
    assert found.burst is None


@pytest.mark.parametrize(
    ("rows", "reference_rows", "said"),
    [
        (0, 300, "No traffic in this window yet"),
        (300, 0, "300 requests, but nothing to compare them with"),
        (30, 300, "Too little to say anything yet: 30 requests"),
    ],
)
def test_too_little_is_a_result_that_says_what_is_missing(
    rows: int, reference_rows: int, said: str
) -> None:
    reference = Reference("x", False, traffic(Door(rows=reference_rows)))
    found = examine(Window(traffic(replace(TUESDAY, rows=rows))), reference, PARAMS)
    report = found.report()
    assert report.status == "not_enough_data"
    assert report.answer.startswith(said)
    assert "vultus" in advice(found, report)[0]


@pytest.mark.slow
def test_two_bad_days_end_in_a_page_an_alert_and_a_history(tmp_path: Path) -> None:
    home = champion_home(tmp_path, traffic(Door(rows=200)), bpcer=0.016)
    write_log(home.features, traffic(Door(seed=1, rows=1500)))
    params = MonitorParams(last_h=12)
    monday = current_window(home.features, now=MONDAY + timedelta(hours=10), last_h=12)
    freeze(home, monday, champions_of(home), params, now=MONDAY + timedelta(hours=10))
    actions = []
    for day in (1, 2):
        door = replace(TUESDAY, seed=day + 5, start=MONDAY + timedelta(days=day))
        write_log(home.features, change_at(door, 4, dark=0.7))
        done = watch(home, params, now=door.start + timedelta(hours=11))
        actions.append(done.decision.action)
        assert [file.name for file in done.files] == ["drift.html", "drift.json", "evidently.html"]
        assert all(file.stat().st_size > 1000 for file in done.files)
    assert actions == ["keep", "alert"]
    assert "no receiver" in done.failures[0]
    page = done.files[0].read_text()
    assert (
        page.index("Pictures got darker since 12:0")
        < page.index("a lamp that")
        < page.index("All tests")
    )
    report = DriftReport.model_validate_json(done.files[1].read_text())
    assert report == done.report
    assert json.loads(done.files[1].read_text())["params"]["last_h"] == 12
    history = read_history(home)
    assert [one.action for one in history] == actions
    assert history[-1].alerting
    metrics = (home.features / "history" / "vultus_monitor.prom").read_text()
    assert 'vultus_monitor_action{action="alert"} 1.0' in metrics
    assert "vultus_monitor_window_rows 1200.0" in metrics
