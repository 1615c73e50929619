"""A step's command from the compiled pipeline, run by hand in its image as strictly as can be."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compilation import compile_pipelines
from pipelines.placement import image_of
from support.docker import run_hardened
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.words import Task

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]
_RUN = "/run/task"
_STATE = "/var/lib/vultus"


@pytest.fixture(scope="module")
def executors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """`exec-<verb>` -> container of the compiled recognition pipeline."""
    file = compile_pipelines(tmp_path_factory.mktemp("ir"))[Task.RECOGNITION]
    document = next(yaml.safe_load_all(file.read_text()))
    specs = document["deploymentSpec"]["executors"]
    return {name: spec["container"] for name, spec in specs.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A task's folder and a store, which user 10001 may write."""
    for place in (tmp_path, tmp_path / "task", tmp_path / "store", tmp_path / "keys"):
        place.mkdir(exist_ok=True)
        place.chmod(0o777)
    return tmp_path


def _artifact(name: str, title: str) -> dict[str, Any]:
    kind = {"schemaTitle": f"system.Vultus{title}", "schemaVersion": "0.0.1"}
    return {"artifacts": [{"name": name, "uri": f"{_RUN}/{name}", "type": kind, "metadata": {}}]}


def _run(
    executors: dict[str, Any],
    verb: str,
    folder: Path,
    values: dict[str, Any],
    inputs: dict[str, str],
    outputs: dict[str, str],
) -> "subprocess.CompletedProcess[str]":
    executor_input = {
        "inputs": {
            "parameterValues": values,
            "artifacts": {name: _artifact(name, title) for name, title in inputs.items()},
        },
        "outputs": {
            "outputFile": f"{_RUN}/{verb}.json",
            "artifacts": {name: _artifact(name, title) for name, title in outputs.items()},
        },
    }
    container = executors[f"exec-{verb}"]
    assert container["image"] == image_of(verb)
    command = [*container["command"], *container["args"]]
    command = [part.replace("{{$}}", json.dumps(executor_input)) for part in command]
    volumes = {
        folder / "task": _RUN,
        folder / "store": f"{_STATE}/store",
        folder / "keys": f"{_STATE}/keys",
    }
    return run_hardened(image_of(verb), command, volumes=volumes)


def test_ingest_and_crop_run_as_written_in_a_hardened_container(
    light: list[str], executors: dict[str, Any], folder: Path
) -> None:
    values = {"source": "synthetic:people=3,images=2", "seed": 1, "params": {}}
    ended = _run(executors, "ingest", folder, values, {}, {"raw": "RawFaces"})
    assert ended.returncode == 0, ended.stderr[-3000:]
    raw = RawFaces.open(folder / "task" / "raw")
    ended = _run(
        executors, "crop", folder, {"params": {}}, {"raw": "RawFaces"}, {"crops": "FaceCrops"}
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    crops = FaceCrops.open(folder / "task" / "crops")
    assert 6 <= crops.crops.num_rows <= raw.faces.num_rows
    said = json.loads((folder / "task" / "crop.json").read_text())
    assert said["artifacts"]["crops"]["artifacts"][0]["metadata"]
    owners = {file.stat().st_uid for file in (folder / "task").rglob("*")}
    assert owners == {10001}


def test_a_wrong_parameter_ends_the_container_with_its_name(
    light: list[str], executors: dict[str, Any], folder: Path
) -> None:
    values = {"source": "nowhere:", "seed": 0, "params": {}}
    ended = _run(executors, "ingest", folder, values, {}, {"raw": "RawFaces"})
    assert ended.returncode != 0
    assert "unknown source 'nowhere:'" in ended.stderr + ended.stdout
    assert not (folder / "task" / "raw" / "manifest.json").exists()
