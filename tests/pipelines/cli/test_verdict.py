"""`vultus verdict` by name, version and folder; exit 0 whatever it says, 1 where it cannot be given."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.register import RegisterParams, register_model
from pipelines.cli import app
from support.tracking import Tracking
from support.versions import recognition_model, recognition_report
from vultus.contracts.home import Home
from vultus.signing import load_or_create_key

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("verdict")
    home = Home(root / "home")
    tracking = Tracking(home)
    register_model(
        recognition_model(root / "model"),
        recognition_report(root / "report"),
        root / "version",
        RegisterParams(),
        registry=tracking.registry,
        tracker=tracking.tracker,
        signing_key=load_or_create_key(home.keys / "signing.pem"),
        git_commit="c0ffee",
    )
    return home


@pytest.mark.parametrize(
    "name", ["vultus-recognition", "models:/vultus-recognition/1", "vultus-recognition/1", "folder"]
)
def test_every_way_to_name_a_model_gives_the_same_verdict(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("VULTUS_HOME", str(home.root))
    model = str(home.root.parent / "version") if name == "folder" else name
    said = CliRunner().invoke(app, ["verdict", model, "--json"])
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert answer["verdict"] == "fail"  # its one threshold lets 1 % through
    assert "certified" in answer["note"]
    assert any(f["clause"] == "3.2.3" for f in answer["findings"])
    spoken = CliRunner().invoke(app, ["verdict", model])
    assert spoken.exit_code == 0
    assert "FAIL             FIA_MBV  FAR" in spoken.stdout


def test_without_a_model_the_reason_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VULTUS_HOME", str(home.root))
    for name, reason in (
        ("vultus-pad", "not registered"),
        ("models:/vultus-recognition@champion", "not registered"),
        ("nonsense", "no folder and no model"),
        (str(tmp_path), "no finished ModelVersion"),
    ):
        said = CliRunner().invoke(app, ["verdict", name])
        assert said.exit_code == 1
        assert reason in said.output


def test_a_changed_version_gets_no_verdict(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "other"))
    load_or_create_key(Home(tmp_path / "other").keys / "signing.pem")
    said = CliRunner().invoke(app, ["verdict", str(home.root.parent / "version")])
    assert said.exit_code == 1
    assert "not signed with the key" in said.output
