"""`vultus monitor` and `vultus report` as a person meets them."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitoring.champions import champions_of
from monitoring.params import MonitorParams
from monitoring.reference import freeze
from monitoring.window import current_window
from pipelines.cli import app
from support.champions import champion_home
from support.traffic import Door, change_at, traffic, write_log


@pytest.fixture
def vultus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / ".vultus"))
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner()


def test_the_first_use_is_friendly(vultus: CliRunner, tmp_path: Path) -> None:
    said = vultus.invoke(app, ["monitor"])
    assert said.exit_code == 0
    assert said.stdout.startswith("No traffic in this window yet")
    assert "vultus serve" in said.stdout
    assert (tmp_path / "reports").is_dir()
    listed = vultus.invoke(app, ["report"])
    assert listed.exit_code == 0
    assert "drift.html" in listed.stdout


def test_without_documents_the_report_says_what_makes_some(vultus: CliRunner) -> None:
    said = vultus.invoke(app, ["report"])
    assert said.exit_code == 0
    assert "vultus run" in said.stdout
    assert json.loads(vultus.invoke(app, ["report", "--json"]).stdout) == []


@pytest.mark.parametrize(
    "wrong",
    [["--last", "soon"], ["--last", "24h", "--rows", "5"], ["--retrain", "maybe"], ["--rows", "0"]],
)
def test_a_wrong_option_is_wrong_usage(vultus: CliRunner, wrong: list[str]) -> None:
    assert vultus.invoke(app, ["monitor", *wrong]).exit_code == 2


def test_a_window_too_small_to_confirm_is_refused_with_the_reason(vultus: CliRunner) -> None:
    said = vultus.invoke(app, ["monitor", "--confirm"])
    assert said.exit_code == 1
    assert "a reference needs" in said.stderr


def test_documents_are_listed_newest_first_and_older_ones_on_request(
    vultus: CliRunner, tmp_path: Path
) -> None:
    import os

    for number, folder in enumerate(("20260301-080000-monitor", "20260302-080000-monitor")):
        file = tmp_path / "reports" / folder / "drift.html"
        file.parent.mkdir(parents=True)
        file.write_text("<p>")
        os.utime(file, (1_770_000_000 + number, 1_770_000_000 + number))
    newest = json.loads(vultus.invoke(app, ["report", "--json"]).stdout)
    assert [Path(one["path"]).parent.name for one in newest] == ["20260302-080000-monitor"]
    every = json.loads(vultus.invoke(app, ["report", "drift", "--all", "--json"]).stdout)
    assert [Path(one["path"]).parent.name for one in every] == [
        "20260302-080000-monitor",
        "20260301-080000-monitor",
    ]


@pytest.mark.slow
def test_a_bad_day_on_the_screen_and_as_json(vultus: CliRunner, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    home = champion_home(tmp_path, traffic(Door(rows=100)))
    write_log(home.features, traffic(Door(seed=1, rows=1500, start=now - timedelta(days=3))))
    window = current_window(home.features, now=now, last_h=100)
    freeze(home, window, champions_of(home), MonitorParams(), now=now)
    day = Door(seed=2, rows=900, start=now - timedelta(hours=10, seconds=5))
    write_log(home.features, change_at(day, 6, dark=0.7), "part-1")
    said = vultus.invoke(app, ["monitor", "--last", "24h", "--retrain", "never"])
    assert said.exit_code == 0, said.stdout
    assert said.stdout.startswith("Pictures got darker since")
    for wanted in ("under_exposure_prevention", "verify/match", "lamp", "drift.html"):
        assert wanted in said.stdout
    record = json.loads(vultus.invoke(app, ["monitor", "--json"]).stdout)
    assert record["status"] == "drift"
    assert record["rows"] == 900
    assert Path(record["files"][0]).is_file()
    # The very same rows a second time are no second window.
    assert record["decision"]["action"] == "keep"


@pytest.mark.slow
def test_what_the_cron_job_runs_ends_with_0_whatever_it_finds_and_1_where_it_cannot(
    tmp_path: Path,
) -> None:
    champion_home(tmp_path, traffic(Door(rows=100)))

    def job(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "monitoring", *arguments],
            env={
                "PATH": "",
                "PYTHONPATH": str(Path.cwd()),
                "VULTUS_HOME": str(tmp_path / ".vultus"),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    done = job("--set", "last_h=1")
    assert done.returncode == 0, done.stderr
    assert "No traffic in this window" in done.stderr
    assert (tmp_path / ".vultus" / "features" / "history" / "vultus_monitor.prom").is_file()
    wrong = job("--set", "last_h=-1")
    assert wrong.returncode == 1
    assert "last_h" in wrong.stderr
