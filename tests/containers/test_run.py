"""`vultus run --on docker`: the compiled pipeline, one container a step."""

import json
import os
import urllib.request
from pathlib import Path

import pytest

from pipelines.compilation import compile_pipelines
from pipelines.local import LocalRun, StepFailed
from pipelines.placement import image_of
from support import docker
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.contracts.words import Task
from vultus.registry import MlflowServer, registry_from
from vultus.settings import TrackingSettings

pytestmark = [pytest.mark.container, pytest.mark.timeout(900)]
_SMALL = {"source": "synthetic:people=12,images=3", "seed": 3}
_LIGHT = ("ingest", "crop", "validate")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with nothing but the fetched weights of the one that tests are given."""
    home = Home(tmp_path_factory.mktemp("docker") / "home")
    home.root.mkdir()
    given = Home(Path(os.environ.get("VULTUS_HOME", ".vultus")).absolute()).weights
    given.mkdir(parents=True, exist_ok=True)
    home.weights.symlink_to(given.resolve())
    return home


@pytest.fixture(scope="module")
def ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled recognition pipeline."""
    return compile_pipelines(tmp_path_factory.mktemp("ir"))[Task.RECOGNITION]


def _environment(home: Home) -> dict[str, str]:
    return {"VULTUS_HOME": str(home.root), "VULTUS_GIT_COMMIT": "0" * 40}


def test_light_steps_run_in_containers_until_train_says_why_it_cannot(
    light: list[str], home: Home, ir: Path
) -> None:
    run = LocalRun(home, "light")
    arguments = {**_SMALL, "train": {"epochs": "many"}}
    with pytest.raises(StepFailed) as caught:
        run.execute(ir, arguments, environment=_environment(home), runner="docker")
    assert [run.steps[verb].status for verb in _LIGHT] == ["done"] * 3
    assert run.steps["evaluate"].status == "waiting"
    expected = "epochs" if docker.has_image(image_of("train")) else "vultus images train"
    assert str(caught.value).startswith("train failed:")
    assert expected in str(caught.value)
    crops = next(home.runs.rglob("crops/manifest.json")).parent
    assert FaceCrops.open(crops).crops.num_rows >= 36
    assert {file.stat().st_uid for file in home.runs.rglob("*")} == {os.getuid()}


def test_a_step_that_dies_at_once_is_a_failed_step(light: list[str], home: Home, ir: Path) -> None:
    run = LocalRun(home, "dies")
    with pytest.raises(StepFailed, match="unknown source"):
        run.execute(ir, {"source": "nowhere:"}, environment=_environment(home), runner="docker")
    assert run.steps["ingest"].status == "failed"


def test_the_whole_chain_ends_with_a_registered_version(
    light: list[str], training: list[str], home: Home, ir: Path
) -> None:
    with MlflowServer(home) as server:
        environment = {**_environment(home), "VULTUS_TRACKING__URI": server.uri}
        run = LocalRun(home, "whole")
        arguments = {**_SMALL, "train": {"epochs": 0}}
        run.execute(ir, arguments, environment=environment, runner="docker")
        registry = registry_from(TrackingSettings(uri=server.uri), home)
        versions = list(registry.versions("vultus-recognition"))
        assert run.outputs["decision"] == "passed"
        with docker.serving(home.root, tracking=server.uri) as address:
            with urllib.request.urlopen(f"{address}/v2/health/ready", timeout=5) as answer:
                assert json.load(answer) == {"ready": True}
            with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:
                assert 'vultus_model_info{task="recognition"' in answer.read().decode()
    assert all(step.status in ("done", "cached") for step in run.steps.values()), run.steps
    assert [version.tags["git_commit"] for version in versions] == ["0" * 40]
    assert {file.stat().st_uid for file in home.runs.rglob("*")} == {os.getuid()}
