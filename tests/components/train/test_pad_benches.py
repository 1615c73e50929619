"""The benches that train PAD networks alike, on drawn faces: what they print is what was measured."""

import json
from pathlib import Path

import pytest

from benchmarks import pad_unseen, pad_zoo
from support.crops import make_crops
from vultus.contracts.home import Home
from vultus.contracts.models import OnnxModel
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow
QUICK = ["--networks", "compact", "--epochs", "1", "--side", "32"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A state folder with one run's crops."""
    own = Home(tmp_path / "home")
    make_crops(own.runs / "drawn" / "crop" / "crops", FolderStore(own.store), subjects=9)
    monkeypatch.setenv("VULTUS_HOME", str(own.root))
    return own


def test_the_zoo_bench_compares_what_it_exported(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "zoo"
    monkeypatch.setattr("sys.argv", ["pad_zoo", *QUICK, "--out", str(out)])
    pad_zoo.main()
    (line,) = json.loads(capsys.readouterr().out)["networks"]
    figures = {figure["name"]: figure for figure in line["figures"]}
    assert {"pad_auc", "apcer", "bpcer"} <= set(figures)
    assert figures["pad_auc"]["low"] <= figures["pad_auc"]["value"] <= figures["pad_auc"]["high"]
    assert line["mflops"] > 1
    assert OnnxModel.open(out / "compact" / "model").path.is_dir()
    assert "compact" in (out / "report.html").read_text()


def test_the_unseen_bench_leaves_out_every_species_in_turn(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["pad_unseen", *QUICK, "--out", str(tmp_path / "unseen")])
    pad_unseen.main()
    found = json.loads(capsys.readouterr().out)["networks"]["compact"]
    assert list(found) == ["species=mask", "species=print", "species=replay"]
    for left_out, parts in found.items():
        assert set(parts) == {"seen=yes", f"seen=no,{left_out}"}
        assert "apcer" in parts[f"seen=no,{left_out}"]
