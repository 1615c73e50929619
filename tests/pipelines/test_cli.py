"""The command's promises: 0 done, 1 refused or failed with a reason, 2 wrong usage."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli import app
from support.crops import make_crops
from vultus.contracts.faces import ValidationReport
from vultus.contracts.home import Home
from vultus.storage import FolderStore


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


def vultus(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    "words",
    [
        ["cook"],
        ["run", "everything"],
        ["run", "recognition", "--on", "the moon"],
        ["run", "--colour", "blue"],
        ["step"],
        ["promote"],
    ],
)
def test_wrong_usage_is_two(home: Home, words: list[str]) -> None:
    result = vultus(*words)
    assert result.exit_code == 2
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--set", "train.epochs=many"], "train.epochs"),
        (["run", "--set", "cook.time=1"], "no step is called 'cook'"),
        (["run", "--params", "/no/such.yaml"], "/no/such.yaml"),
        (["run", "--on", "kubeflow"], "--host"),
        (["step", "cook"], "no step is called 'cook'"),
        (["step", "crop", "--in", "raw"], "write NAME=FOLDER"),
        (["step", "crop", "--out", "crops=x"], "crop needs raw"),
        (["step", "crop", "--in", "raw=/a", "--out", "crops=x", "--in", "b=c"], "knows no b"),
        (["step", "crop", "--in", "raw=/a", "--out", "crops=/b", "--set", "x=[1"], "no YAML"),
        (
            [
                "step",
                "crop",
                "--in",
                "raw=/a",
                "--out",
                "crops=/b",
                "--set",
                "several_faces_ratio=x",
            ],
            "crop.several_faces_ratio",
        ),
        (["step", "crop", "--in", "raw=/a", "--out", "crops=/b"], "holds no finished RawFaces"),
        (["weights", "fetch", "nothing"], "no weights are called 'nothing'"),
    ],
)
def test_a_failure_is_one_with_a_sentence(home: Home, words: list[str], said: str) -> None:
    result = vultus(*words)
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert "Traceback" not in result.output
    assert not home.runs.exists(), "nothing was computed"


def test_a_wrong_setting_is_two_and_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VULTUS_SERVING__PORT", "many")
    result = vultus("weights", "list")
    assert result.exit_code == 2
    assert "VULTUS_SERVING__PORT" in result.output


@pytest.mark.slow
def test_compile_writes_both_pipelines_and_names_them(home: Home, tmp_path: Path) -> None:
    result = vultus("compile", "--out", str(tmp_path / "ir"))
    assert result.exit_code == 0
    written = sorted(file.name for file in (tmp_path / "ir").iterdir())
    assert written == ["vultus-liveness.yaml", "vultus-recognition.yaml"]
    assert all(str(tmp_path / "ir" / name) in result.output for name in written)


def test_the_weights_are_listed_with_licence_and_origin(home: Home) -> None:
    result = vultus("weights", "list")
    assert result.exit_code == 0
    assert "sface" in result.output
    assert "MIT" in result.output


@pytest.mark.slow
def test_one_step_alone_on_folders(home: Home, tmp_path: Path) -> None:
    raw, crops = tmp_path / "raw", tmp_path / "crops"
    make_crops(crops, FolderStore(home.store), subjects=9, raw=raw)
    folders = ["--in", f"raw={raw}", "--in", f"crops={crops}"]
    folders += ["--out", f"validation={tmp_path / 'valid'}"]
    params = tmp_path / "validate.yaml"
    params.write_text("min_subjects_train: 2\nmin_subjects_per_split: 2\n")
    strict = vultus("step", "validate", *folders, "--set", "min_subjects_train=50")
    assert strict.exit_code == 1
    assert "BadData" in strict.output
    assert not (tmp_path / "valid").exists()
    done = vultus("step", "validate", *folders, "--params", str(params))
    assert done.exit_code == 0, done.output
    assert "validate: done" in done.output
    ValidationReport.open(tmp_path / "valid")


@pytest.mark.slow
def test_models_of_an_empty_home_is_an_empty_list(home: Home) -> None:
    result = vultus("models", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == []
    nothing = vultus("promote", "vultus-pad")
    assert nothing.exit_code == 1
    assert "has no version" in nothing.output
