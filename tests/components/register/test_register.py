"""A model enters the registry once, signed, with its origin; a registry that is down loses nothing."""

import json
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.register import RegisterParams, RegisterReport, register_model
from pipelines.cli import app
from support.tracking import Tracking, nowhere
from support.versions import pad_model, pad_report, recognition_model, recognition_report
from vultus.contracts.models import ModelVersion
from vultus.contracts.words import Evidence
from vultus.errors import BadArtifact, TrackingUnavailable
from vultus.registry.client import client_of
from vultus.signing import PrivateKey, public_key_of, verify_version

pytestmark = pytest.mark.slow
KEY = PrivateKey.generate()


def register(
    folder: Path,
    tracking: Tracking,
    out: str = "version",
    note: str = "",
    git_commit: str = "c0ffee",
) -> RegisterReport:
    return register_model(
        folder / "model",
        folder / "report",
        folder / out,
        RegisterParams(note=note),
        registry=tracking.registry,
        tracker=tracking.tracker,
        signing_key=KEY,
        git_commit=git_commit,
    )


def pair(folder: Path, seed: int, run_id: str = "", checkpoint: str = "c" * 64) -> Path:
    recognition_model(folder / "model", seed=seed, run_id=run_id, checkpoint=checkpoint)
    recognition_report(folder / "report", seed=seed, checkpoint=checkpoint)
    return folder


def test_a_version_is_signed_whole_and_carries_its_origin(
    tracking: Tracking, tmp_path: Path
) -> None:
    with tracking.tracker.run("vultus-recognition", "train") as run:
        trained = run.run_id
    report = register(pair(tmp_path, 1, run_id=trained), tracking, note="by hand")
    assert report.run_id == trained
    statement = verify_version(tmp_path / "version", public_key_of(KEY))
    assert {"model.onnx", "transform.json", "scores.parquet", "thresholds.parquet"} <= set(
        statement.sha256
    )
    assert "report.html" not in statement.sha256
    version = tracking.registry.resolve(f"models:/{report.name}/{report.version}")
    assert version is not None
    expected = {
        "git_commit": "c0ffee",
        "data_sha256": "d" * 64,
        "run_id": trained,
        "note": "by hand",
    }
    assert {name: version.tags[name] for name in expected} == expected
    got = client_of(tracking.uri).get_run(trained)
    assert got.data.metrics["test_eer"] < 0.05
    files = [entry.path for entry in client_of(tracking.uri).list_artifacts(trained, "evaluation")]
    assert files == ["evaluation/report.html"]


def test_what_a_model_is_made_of_stays_with_its_version(tracking: Tracking, tmp_path: Path) -> None:
    manifest = pair(tmp_path, 1) / "model" / "manifest.json"
    said = json.loads(manifest.read_text())
    made_of = {"architecture": "edge", "licence": "house only", "training_data": "our door"}
    said["facts"] |= {"provenance": made_of, "int8": {}}
    manifest.write_text(json.dumps(said))
    register(tmp_path, tracking)
    facts = ModelVersion.open(tmp_path / "version").manifest.facts
    assert facts["provenance"] == made_of
    assert "int8" not in facts


@pytest.mark.parametrize("known_run", [True, False])
def test_a_second_attempt_changes_nothing(
    tracking: Tracking, tmp_path: Path, known_run: bool
) -> None:
    """Also where MLflow was down while the model trained, so that it has no run of its own."""
    run_id = ""
    if known_run:
        with tracking.tracker.run("vultus-recognition", "train") as run:
            run_id = run.run_id
    pair(tmp_path, 20 + known_run, run_id)
    first, second = register(tmp_path, tracking), register(tmp_path, tracking, out="again")
    assert (first.known, second.known) == (False, True)
    assert (second.version, second.digest, second.run_id) == (
        first.version,
        first.digest,
        first.run_id,
    )


def test_a_file_edited_meanwhile_makes_no_other_version(tracking: Tracking, tmp_path: Path) -> None:
    """Else editing a text would promote the same network once more, and all that is judged beside it."""
    first = register(pair(tmp_path, 5), tracking)
    second = register(tmp_path, tracking, out="again", git_commit="c0ffee-dirty")
    assert (second.known, second.version, second.digest) == (True, first.version, first.digest)
    assert ModelVersion.open(tmp_path / "again").statement.git_commit == "c0ffee"


def test_another_model_with_the_same_evaluation_is_another_version(
    tracking: Tracking, tmp_path: Path
) -> None:
    """One checkpoint exported anew: the evaluation is the checkpoint's, the network is not the same."""
    first = register(pair(tmp_path, 6), tracking)
    shutil.rmtree(tmp_path / "model")
    recognition_model(tmp_path / "model", seed=7)
    second = register(tmp_path, tracking, out="again", git_commit="0ddba11")
    assert (second.known, second.version) == (False, first.version + 1)
    assert ModelVersion.open(tmp_path / "again").statement.git_commit == "0ddba11"


def test_a_run_of_another_mlflow_is_replaced(tracking: Tracking, tmp_path: Path) -> None:
    """The step cache outlives the database: whoever deletes mlflow.db can still register."""
    report = register(pair(tmp_path, 3, run_id="f" * 32), tracking)
    assert report.run_id != "f" * 32
    assert ModelVersion.open(tmp_path / "version").statement.run_id == report.run_id


def test_a_panel_is_registered_under_its_own_name(mlflow_file: Tracking, tmp_path: Path) -> None:
    pad_model(tmp_path / "model", [("own", 0.0, 1e9, Evidence.SIMULATED)])
    pad_report(tmp_path / "report")
    assert register(tmp_path, mlflow_file).name == "vultus-pad"


def test_an_evaluation_of_another_checkpoint_is_refused(
    mlflow_file: Tracking, tmp_path: Path
) -> None:
    pair(tmp_path, 4)
    recognition_report(tmp_path / "report", checkpoint="e" * 64)
    with pytest.raises(BadArtifact, match="same training"):
        register(tmp_path, mlflow_file)
    assert not (tmp_path / "version").exists()


def test_with_mlflow_down_the_model_stays_and_the_printed_command_registers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    place = pair(tmp_path / "a folder", 5)
    before = sorted(file.name for file in (place / "model").iterdir())
    with pytest.raises(TrackingUnavailable) as raised:
        register(place, nowhere(tmp_path))
    message = str(raised.value)
    assert "the model is safe" in message
    assert sorted(file.name for file in (place / "model").iterdir()) == before

    command = shlex.split(message.splitlines()[-1])
    assert command[:3] == ["vultus", "step", "register"]
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(app, command[1:])
    assert done.exit_code == 0, done.output
    assert "register: done" in done.output
    listed = CliRunner().invoke(app, ["models", "--json"])
    assert '"model": "vultus-recognition"' in listed.output
    assert '"gate": "not judged"' in listed.output
