"""`vultus compare`: one table of accuracy and cost, on the same trials for every model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from support.journey import PromotedHome

pytestmark = pytest.mark.slow


def test_packaged_and_registered_models_stand_side_by_side(
    promoted: PromotedHome, tmp_path: Path
) -> None:
    command = ["compare", "sface", "models:/vultus-recognition@champion", "--json"]
    env = {"VULTUS_HOME": str(promoted.root)}
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path)], env=env)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    first, second = said["models"]
    assert first["trials_sha256"] == second["trials_sha256"]
    assert first["licence"] == "Apache-2.0 (OpenCV Zoo)"
    assert first["mflops"] > 1000
    for line in (first, second):
        assert 0 < line["cpu_ms"] < 10_000
        for figure in line["figures"]:
            assert figure["low"] <= figure["value"] <= figure["high"]
    assert {"report.html", "report.pdf", "comparison.json"} <= {f.name for f in tmp_path.iterdir()}
    html = (tmp_path / "report.html").read_text()
    assert "Apache-2.0 (OpenCV Zoo)" in html
    assert "MFLOPs" in html


def test_models_of_two_tasks_are_refused(promoted: PromotedHome, tmp_path: Path) -> None:
    command = ["compare", "sface", "models:/vultus-pad@champion", "--out", str(tmp_path)]
    done = CliRunner().invoke(app, command, env={"VULTUS_HOME": str(promoted.root)})
    assert done.exit_code == 1
