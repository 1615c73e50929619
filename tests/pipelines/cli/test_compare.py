"""`vultus compare`: one table of accuracy and cost, on the same trials for every model."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from support.journey import PromotedHome

pytestmark = pytest.mark.slow


def _compare(promoted: PromotedHome, out: Path, *names: str) -> dict[str, Any]:
    command = ["compare", *names, "--json", "--out", str(out)]
    done = CliRunner().invoke(app, command, env={"VULTUS_HOME": str(promoted.root)})
    assert done.exit_code == 0, done.output
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_without_names_everything_of_both_tasks_stands_side_by_side(
    promoted: PromotedHome, tmp_path: Path
) -> None:
    lines = {line["name"]: line for line in _compare(promoted, tmp_path)["models"]}
    champion = next(name for name in lines if name.startswith("vultus-recognition/2"))
    panel = next(name for name in lines if name.startswith("vultus-pad/") and ": " not in name)
    assert {"sface", "resnet29", "npm-liveness", f"{panel}: vultus-own"} <= lines.keys()
    assert lines["sface"]["trials_sha256"] == lines[champion]["trials_sha256"]
    assert lines["npm-liveness"]["trials_sha256"] == lines[panel]["trials_sha256"]
    assert lines["sface"]["licence"] == "Apache-2.0 (OpenCV Zoo)"
    assert lines[champion]["licence"] == (
        "sface: Apache-2.0 (OpenCV Zoo); trained here: Apache-2.0"
    ), "what export wrote down, register kept"
    assert lines["sface"]["mflops"] == lines[champion]["mflops"] > 1000
    for line in lines.values():
        assert line["cpu_ms"] > 0
        assert line["cpu_ms_int8"] > 0
        for figure in line["figures"]:
            assert figure["low"] <= figure["value"] <= figure["high"]
    assert {"report.html", "report.pdf", "comparison.json"} <= {f.name for f in tmp_path.iterdir()}
    html = (tmp_path / "report.html").read_text()
    for word in ("Recognition models side by side", "PAD models side by side", "TAR at FMR 0.001"):
        assert word in html


def test_models_of_two_tasks_are_refused(promoted: PromotedHome, tmp_path: Path) -> None:
    command = ["compare", "sface", "models:/vultus-pad@champion", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, command, env={"VULTUS_HOME": str(promoted.root)})
    assert done.exit_code == 1
