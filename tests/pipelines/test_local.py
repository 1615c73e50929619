"""The compiled pipeline runs on a laptop: once for each thing that changed, and never loses a result.

One tiny run is made for the whole file; the tests follow it in order, as a person would.
"""

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.compilation import compile_pipelines
from pipelines.local import LocalRun, StepFailed
from pipelines.params import STEPS
from support.heads import weights_folder
from support.pretrained import weights_folder as pretrained
from vultus.contracts.artifact import MANIFEST
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.words import Task

pytestmark = pytest.mark.slow
TINY: dict[str, Any] = {
    "source": "synthetic:people=10,images=3",
    "seed": 1,
    "ingest": {
        "print_share": 0,
        "replay_share": 0,
        "mask_share": 0,
        "recapture_share": 0,
        "tight_share": 0,
        "validation_share": 0.3,
        "test_share": 0.3,
    },
    "validate": {"min_subjects_train": 2, "min_subjects_per_split": 2, "min_attacks_per_split": 0},
    "train": {"epochs": 0},
    "export": {"inputs": 4},
    "promote": {"max_eer": 0.9},
}
ALWAYS = {"register", "promote"}


class Bench:
    """One home, and runs of the recognition pipeline in it."""

    def __init__(self, root: Path) -> None:
        self.home = Home(root / "home")
        self.ir = compile_pipelines(root / "ir")[Task.RECOGNITION]
        self.home.root.mkdir()
        (self.home.root / "weights").symlink_to(weights_folder())
        self.number = 0

    def run(self, environment: dict[str, str] | None = None, **changes: Any) -> LocalRun:
        self.number += 1
        run = LocalRun(self.home, f"run-{self.number}")
        self.last = run
        settings = {"VULTUS_HOME": str(self.home.root), **(environment or {})}
        run.execute(self.ir, TINY | changes, environment=settings)
        return run


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    pretrained("sface")
    return Bench(tmp_path_factory.mktemp("local"))


def states(run: LocalRun) -> dict[str, set[str]]:
    """status -> steps"""
    found: dict[str, set[str]] = {}
    for step in run.steps.values():
        found.setdefault(step.status, set()).add(step.name)
    return found


@pytest.fixture(scope="module")
def first(bench: Bench) -> LocalRun:
    return bench.run()


def test_every_step_runs_and_hands_its_artifact_on(bench: Bench, first: LocalRun) -> None:
    assert states(first) == {"done": set(STEPS)}
    report = EvaluationReport.open(Path(first.outputs["evaluation"].path))
    assert report.figure("eer") is not None
    version = ModelVersion.open(Path(first.outputs["version"].path))
    assert version.statement.data_sha256 == version.manifest.facts["crops_digest"]
    assert first.outputs["decision"] == "passed"
    log = first.log_file.read_text()
    assert all(f"Executing task '{step}'" in _plain(log) for step in STEPS)


def test_the_same_run_again_does_nothing_twice_and_says_so(bench: Bench, first: LocalRun) -> None:
    again = bench.run()
    assert states(again) == {"cached": set(STEPS) - ALWAYS, "done": ALWAYS}
    metadata = again.outputs["version"].metadata
    assert metadata["known"]
    assert int(metadata["version"]) == 1


def test_one_changed_param_runs_only_what_depends_on_it(bench: Bench, first: LocalRun) -> None:
    changed = bench.run(export={"inputs": 5})
    assert states(changed) == {
        "cached": {"ingest", "crop", "validate", "train", "evaluate"},
        "done": {"export", *ALWAYS},
    }


def test_with_mlflow_down_at_register_the_printed_command_goes_on(
    bench: Bench, first: LocalRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = {
        "VULTUS_TRACKING__URI": "http://127.0.0.1:9",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    }
    with pytest.raises(StepFailed) as raised:
        bench.run(down, export={"inputs": 6})
    message = str(raised.value)
    assert message.startswith("register failed:")
    assert "the model is safe" in message
    line = next(line for line in message.splitlines() if "vultus step register" in line)
    monkeypatch.setenv("VULTUS_HOME", str(bench.home.root))
    done = CliRunner().invoke(app, shlex.split(line)[1:])
    assert done.exit_code == 0, done.output
    # And the whole run, too, goes on where it stopped.
    assert "export" in states(bench.run(export={"inputs": 6}))["cached"]


def test_an_artifact_that_was_cut_is_never_used(bench: Bench, first: LocalRun) -> None:
    """The cache does not look inside; whoever opens the folder does, and says what to delete."""
    crops = Path(first.outputs["crops"].path) / "crops" / "part-00000.parquet"
    whole = crops.read_bytes()
    crops.write_bytes(whole[:-100])
    try:
        with pytest.raises(StepFailed, match=r"part-00000\.parquet was cut or changed.*delete"):
            bench.run(validate=TINY["validate"] | {"min_box_px": 11})
    finally:
        crops.write_bytes(whole)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("ftp://nowhere", "unknown source"),
        ("/no/such/folder", "is not a folder that can be read"),
        ("s3://bucket/prefix", "VULTUS_STORAGE__ENDPOINT_URL"),
    ],
)
def test_a_step_that_fails_says_why_and_the_run_stops(bench: Bench, source: str, said: str) -> None:
    away = {
        "VULTUS_STORAGE__ENDPOINT_URL": "http://127.0.0.1:9",
        "VULTUS_STORAGE__ACCESS_KEY": "key",
        "VULTUS_STORAGE__SECRET_KEY": "secret",
        "VULTUS_STORAGE__ATTEMPTS": "1",
    }
    with pytest.raises(StepFailed, match=said) as raised:
        bench.run(away, source=source, ingest={})
    assert str(raised.value).startswith("ingest failed:")
    assert str(bench.last.log_file) in str(raised.value)
    assert states(bench.last)["waiting"] == set(STEPS) - {"ingest"}


def test_no_unfinished_artifact_lies_anywhere(bench: Bench, first: LocalRun) -> None:
    for manifest in bench.home.runs.rglob(MANIFEST):
        assert not manifest.parent.name.startswith("."), "left behind by a step that failed"


def _plain(text: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", text)
