"""The policy as a table: what earlier passes said, what this one says, what is done."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring.champions import champions_of
from monitoring.history import PastPass, append_history, distinct, history_file, read_history
from monitoring.params import MonitorParams, read_monitor_params
from monitoring.policy import Decision, Supply, decide
from monitoring.supply import supply_of
from vultus.contracts.home import Home
from vultus.contracts.traffic import DriftReport, DriftTest
from vultus.contracts.words import Task
from vultus.errors import BadParameter

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PARAMS = MonitorParams(raise_after=2, clear_after=3, retrain_after=3, min_new_labelled=100)
PLENTY = Supply(source="faces", count=400, detail="400 came to faces since the last training")
FEW = Supply(source="faces", count=34, detail="34 came to faces since the last training")
NAMES = {
    "q": "quality_sharpness ks",
    "s": "score ks",
    "p": "pad_score ks",
    "a": "attacks within 10 minutes",
}


def report(word: str, hour: int) -> DriftReport:
    """`ok`, `thin`, or letters of NAMES: what drifted."""
    drifted = () if word in ("ok", "thin") else tuple(word)
    return DriftReport(
        window_start=START,
        window_end=START + timedelta(hours=hour),
        rows=500,
        reference="r",
        params={},
        tests=tuple(
            DriftTest(name=NAMES[one], statistic=1, threshold=0.5, drifted=True) for one in drifted
        ),
        status={"ok": "ok", "thin": "not_enough_data"}.get(word, "drift"),
        answer="…",
    )


def story(
    words: Sequence[str], supply: Supply = FEW, params: MonitorParams = PARAMS, step_h: float = 1
) -> list[Decision]:
    """One decision a word, each with the history of those before it."""
    history: list[PastPass] = []
    decisions = []
    for hour, word in enumerate(words):
        said = report(word, hour)
        now = START + timedelta(hours=hour * step_h)
        made = decide(said, history, supply, params, now=now)
        decisions.append(made)
        history.append(past(said, made, now))
    return decisions


def past(said: DriftReport, made: Decision, now: datetime) -> PastPass:
    return PastPass(
        at=now,
        window_start=said.window_start,
        window_end=said.window_end,
        rows=said.rows,
        reference=said.reference,
        status=said.status,
        keys=made.keys,
        action=made.action,
        alerting=made.alerting,
        tasks=made.tasks,
        answer=said.answer,
        folder="",
    )


@pytest.mark.parametrize(
    ("words", "supply", "actions"),
    [
        ("ok ok ok", FEW, "keep keep keep"),
        ("q ok q ok", FEW, "keep keep keep keep"),  # a single window is no alert
        ("q q q", FEW, "keep alert keep"),  # the same again is told once
        ("q thin q", FEW, "keep keep alert"),  # thin windows neither count nor interrupt
        ("q q qs", FEW, "keep alert alert"),  # something new is told at once
        ("a", FEW, "alert"),  # attacks do not wait
        ("ok a a", FEW, "keep alert keep"),
        ("q q q q", PLENTY, "keep alert keep keep"),  # no training against the dark
        ("s s s", PLENTY, "keep alert retrain"),
        ("s s s s", PLENTY, "keep alert retrain keep"),  # cool-down
        ("s s s s", FEW, "keep alert keep keep"),  # too few pictures
        ("a a a", PLENTY, "alert keep keep"),  # attacks are not trained away
    ],
)
def test_what_is_done(words: str, supply: Supply, actions: str) -> None:
    assert [one.action for one in story(words.split(), supply)] == actions.split()


def test_a_training_that_nobody_starts_is_told_once() -> None:
    history: list[PastPass] = []
    told = []
    for hour in range(40):
        said, now = report("s", hour), START + timedelta(hours=hour)
        made = decide(said, history, PLENTY, PARAMS, now=now)
        told += [hour] if made.tell else []
        history.append(past(said, made, now).model_copy(update={"tasks": ()}))
    assert history[-1].action == "retrain"
    assert told == [1, 2]


def test_the_right_model_is_trained_again() -> None:
    assert story(["s"] * 3, PLENTY)[-1].tasks == (Task.RECOGNITION,)
    assert story(["p"] * 3, PLENTY)[-1].tasks == (Task.LIVENESS,)
    assert set(story(["ps"] * 3, PLENTY)[-1].tasks) == {Task.LIVENESS, Task.RECOGNITION}


def test_without_pictures_the_alert_says_how_many_are_missing() -> None:
    soon = PARAMS.model_copy(update={"retrain_after": 2})
    made = story(["s", "s"], FEW, soon)[-1]
    assert made.action == "alert"
    assert "100 new labelled pictures are needed, 34 came" in made.reason


def test_an_alert_ends_after_enough_quiet_windows_and_not_before() -> None:
    made = story(["q", "q", "ok", "ok", "q", "ok", "ok", "ok", "ok"])
    assert [one.alerting for one in made] == [False, *[True] * 6, False, False]
    assert [one.cleared for one in made] == [*[False] * 7, True, False]


def test_the_cool_downs_end() -> None:
    daily = story(["s"] * 12, PLENTY, step_h=24)
    assert [one.action for one in daily].count("retrain") == 2
    hours = [hour for hour, one in enumerate(story(["q"] * 60)) if one.action == "alert"]
    assert hours == [1, 25, 49]


def test_looking_twice_at_one_window_counts_once() -> None:
    history: list[PastPass] = []
    for minute in range(5):
        now = START + timedelta(minutes=minute)
        made = decide(report("q", 3), history, FEW, PARAMS, now=now)
        history.append(past(report("q", 3), made, now))
        assert made.action == "keep"
    assert len(distinct(history)) == 1


def test_the_history_survives_a_line_cut_by_a_crash(tmp_path: Path) -> None:
    home = Home(tmp_path / ".vultus")
    assert read_history(home) == []
    said = report("q", 1)
    one = past(said, story(["q"])[0], START)
    append_history(home, one)
    with history_file(home).open("a") as file:
        file.write('{"at": "2026-03-0')
    append_history(home, one)
    assert read_history(home) == [one, one]


def test_new_pictures_of_a_folder_are_those_after_the_champions(tmp_path: Path) -> None:
    import os

    from support.champions import champion_home
    from support.traffic import Door, traffic
    from vultus.contracts.artifact import MANIFEST

    home = champion_home(tmp_path, traffic(Door(rows=2)))
    made = 1_770_000_000
    for folder in home.models.glob("*/1"):
        (folder / MANIFEST).touch()
        os.utime(folder / MANIFEST, (made, made))
    source = tmp_path / "faces"
    for name, age in (("old.jpg", -10), ("new.jpg", 10), ("new.PNG", 20), ("notes.txt", 30)):
        file = source / "person" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (made + age, made + age))
    assert supply_of(str(source), champions_of(home)).count == 2
    for unknown in (None, "s3://bucket/faces", "kaggle:owner/set", str(tmp_path / "absent")):
        assert supply_of(unknown, champions_of(home)).count is None
        assert supply_of(unknown, champions_of(home)).detail


def test_parameters_come_from_a_file_and_from_pairs(tmp_path: Path) -> None:
    file = tmp_path / "monitor.yaml"
    file.write_text("min_rows: 80\neffect: 0.5\n")
    params = read_monitor_params(file, ["effect=0.4", "retrain_source=/faces"])
    assert (params.min_rows, params.effect, params.retrain_source) == (80, 0.4, "/faces")
    assert "last_rows" not in params.flat()


@pytest.mark.parametrize(
    ("change", "named"),
    [("min_rows=two", "min_rows"), ("effects=1", "effects"), ("effect", "name=value")],
)
def test_a_wrong_parameter_is_named(change: str, named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        read_monitor_params(None, [change])
