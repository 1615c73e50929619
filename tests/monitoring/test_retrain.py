"""A retraining starts a pipeline that is known by its name alone."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.champions import champions_of
from monitoring.params import MonitorParams
from monitoring.reference import freeze
from monitoring.retrain import KubeflowTrigger, LaptopTrigger, RetrainingFailed
from monitoring.watch import watch
from monitoring.window import current_window
from support.champions import champion_home
from support.receiver import receiver
from support.traffic import MONDAY, Door, traffic, write_log
from vultus.contracts.words import Task

_ECHO = "import os, sys; print(os.environ['VULTUS_HOME'], *sys.argv[1:]); sys.exit({code})"


def command(code: int) -> tuple[str, ...]:
    """Stands for the executable `vultus`: tells what it was called with."""
    return (sys.executable, "-c", _ECHO.format(code=code))


def test_on_a_laptop_the_command_is_run_with_the_source(tmp_path: Path) -> None:
    log = tmp_path / "reports" / "retraining.log"
    trigger = LaptopTrigger(tmp_path / "home", log, command(0))
    said = trigger.start(Task.LIVENESS, "/faces", "PAD scores fell")
    assert str(log) in said
    assert log.read_text().split() == [
        str(tmp_path / "home"),
        *("run", "liveness", "--set", "source=/faces"),
    ]


def test_a_run_that_fails_is_told_with_its_command(tmp_path: Path) -> None:
    trigger = LaptopTrigger(tmp_path, tmp_path / "log", command(1))
    with pytest.raises(RetrainingFailed, match=r"run recognition.*ended with 1"):
        trigger.start(Task.RECOGNITION, "/faces", "scores fell")
    with pytest.raises(RetrainingFailed, match="cannot be started"):
        LaptopTrigger(tmp_path, None, (str(tmp_path / "absent"),)).start(
            Task.RECOGNITION, "/faces", ""
        )


def kubeflow(pipelines: list[dict[str, Any]]) -> Any:
    """The part of the v2beta1 API that a run by pipeline name needs."""

    def answer(method: str, path: str, _: int) -> tuple[int, Any]:
        place = path.split("?")[0].removeprefix("/apis/v2beta1")
        if place == "/healthz":
            return 200, {"multi_user": False}
        if place == "/pipelines":
            return 200, {"pipelines": pipelines}
        if place == "/pipelines/p-1/versions":
            return 200, {
                "pipeline_versions": [{"pipeline_version_id": "v-2", "pipeline_id": "p-1"}]
            }
        if place == "/experiments":
            one = {"experiment_id": "e-1", "display_name": "vultus-recognition"}
            return 200, one if method == "POST" else {"experiments": [one]}
        if place == "/runs" and method == "POST":
            return 200, {"run_id": "r-1", "experiment_id": "e-1"}
        return 404, {"error": f"{method} {path}"}

    return answer


@pytest.mark.slow
def test_kubeflow_runs_the_newest_version_of_the_registered_pipeline() -> None:
    registered = [{"pipeline_id": "p-1", "display_name": "vultus-recognition"}]
    with receiver(kubeflow(registered)) as server:
        said = KubeflowTrigger(server.url).start(Task.RECOGNITION, "s3://faces", "scores fell")
        body = next(b for m, p, b in server.requests if m == "POST" and "/runs" in p)
    assert said == f"{server.url}/#/runs/details/r-1"
    reference = body["pipeline_version_reference"]
    assert (reference["pipeline_id"], reference["pipeline_version_id"]) == ("p-1", "v-2")
    assert body["runtime_config"]["parameters"] == {"source": "s3://faces"}
    assert "scores fell" in body["display_name"]


@pytest.mark.slow
def test_kubeflow_without_the_pipeline_says_what_to_upload() -> None:
    with (
        receiver(kubeflow([])) as server,
        pytest.raises(RetrainingFailed, match="vultus compile"),
    ):
        KubeflowTrigger(server.url).start(Task.RECOGNITION, "s3://faces", "scores fell")


@pytest.mark.slow
def test_a_population_that_stays_is_trained_on_once_there_are_pictures(tmp_path: Path) -> None:
    home = champion_home(tmp_path, traffic(Door(rows=100)))
    write_log(home.features, traffic(Door(seed=1, rows=1100)))
    now = MONDAY + timedelta(hours=10)
    params = MonitorParams(
        last_h=12, retrain_after=2, min_new_labelled=3, min_rows=200, alert_cooldown_h=99
    )
    freeze(
        home, current_window(home.features, now=now, last_h=12), champions_of(home), params, now=now
    )
    source = tmp_path / "faces" / "person"
    source.mkdir(parents=True)
    log = tmp_path / "log"
    trigger = LaptopTrigger(home.root, log, command(0))
    params = params.model_copy(update={"retrain_source": str(source.parent)})
    actions = []
    for day in range(1, 5):
        start = MONDAY + timedelta(days=day)
        write_log(home.features, traffic(Door(rows=450, seed=day, population=9, start=start)))
        if day == 3:
            for number in range(3):
                (source / f"{number}.jpg").touch()
        done = watch(home, params, now=start + timedelta(hours=11), trigger=trigger)
        actions.append(done.decision.action)
    assert actions == ["keep", "alert", "retrain", "keep"]
    assert log.read_text().split()[1:] == ["run", "recognition", "--set", f"source={source.parent}"]
