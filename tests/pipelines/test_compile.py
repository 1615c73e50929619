"""The compiled pipelines: one chain, typed hand-overs, images named after their sources."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp import components, dsl
from kfp.dsl.types.type_utils import InconsistentTypeException
from kfp.pipeline_spec import pipeline_spec_pb2

from components.ingest.component import ingest
from components.train.component import train
from pipelines.compilation import NAMES, compile_pipelines
from pipelines.params import STEPS
from pipelines.placement import CHECKOUT, PLACES
from pipelines.source import source_tag
from support.faces_on_disk import write_people
from support.heads import weights_folder
from vultus.contracts.faces import RawFaces
from vultus.contracts.words import Task

pytestmark = pytest.mark.slow

SHARES = ("print_share", "replay_share", "mask_share", "recapture_share", "tight_share")
CHAIN = {
    "ingest": set(),
    "crop": {"ingest"},
    "validate": {"ingest", "crop"},
    "train": {"crop", "validate"},
    "evaluate": {"crop", "train"},
    "export": {"evaluate", "train"},
    "register": {"evaluate", "export"},
    "promote": {"register"},
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[Task, Path]:
    return compile_pipelines(tmp_path_factory.mktemp("ir"))


def spec_of(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = next(yaml.safe_load_all(file.read_text()))
    return found


@pytest.mark.parametrize("task", Task)
def test_the_ir_is_what_kfp_reads(compiled: dict[Task, Path], task: Task) -> None:
    spec = spec_of(compiled[task])
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
    assert spec["pipelineInfo"]["name"] == NAMES[task] == compiled[task].stem
    component = components.load_component_from_file(str(compiled[task]))
    assert set(component.component_spec.inputs) == {"source", "seed", *STEPS}
    inputs = spec["root"]["inputDefinitions"]["parameters"]
    assert inputs["source"]["defaultValue"].startswith("synthetic:")
    assert all(inputs[step]["defaultValue"] == {} for step in STEPS)


@pytest.mark.parametrize("task", Task)
def test_the_steps_follow_each_other(compiled: dict[Task, Path], task: Task) -> None:
    tasks = spec_of(compiled[task])["root"]["dag"]["tasks"]
    assert {name: set(one.get("dependentTasks", [])) for name, one in tasks.items()} == CHAIN


@pytest.mark.parametrize("task", Task)
def test_a_cluster_hands_each_step_its_settings_and_no_more_secrets_than_it_needs(
    compiled: dict[Task, Path], task: Task
) -> None:
    _, platform = yaml.safe_load_all(compiled[task].read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(executors) == {f"exec-{step}" for step in STEPS}
    holders: dict[str, set[str]] = {}
    for name, executor in executors.items():
        assert executor["securityContext"] == {"runAsNonRoot": True, "runAsUser": "10001"}
        (settings,) = executor["configMapAsEnv"]
        assert "VULTUS_TRACKING__URI" in {one["envVar"] for one in settings["keyToEnv"]}
        for secret in executor["secretAsEnv"]:
            for key in secret["keyToEnv"]:
                holders.setdefault(key["envVar"], set()).add(name.removeprefix("exec-"))
    assert holders.pop("VULTUS_KEYS__PSEUDONYM") == {"ingest"}
    assert holders.pop("VULTUS_KEYS__SIGNING") == {"register", "promote"}
    assert set(holders) == {"VULTUS_STORAGE__ACCESS_KEY", "VULTUS_STORAGE__SECRET_KEY"}


@pytest.mark.parametrize("task", Task)
def test_images_are_named_after_steps_and_sources(compiled: dict[Task, Path], task: Task) -> None:
    executors = spec_of(compiled[task])["deploymentSpec"]["executors"]
    tag = source_tag(CHECKOUT)
    images = {name.removeprefix("exec-"): e["container"]["image"] for name, e in executors.items()}
    assert images == {step: f"vultus/{step}:{tag}" for step in STEPS}
    # Nothing is installed when a step starts: what runs is what was built and scanned.
    assert all("pip install" not in json.dumps(executor) for executor in executors.values())


@pytest.mark.parametrize("task", Task)
def test_what_looks_at_the_registry_is_never_cached(compiled: dict[Task, Path], task: Task) -> None:
    tasks = spec_of(compiled[task])["root"]["dag"]["tasks"]
    cached = {name for name, one in tasks.items() if one["cachingOptions"].get("enableCache")}
    assert cached == set(STEPS) - {"register", "promote"}
    retried = {
        name: one["retryPolicy"]["maxRetryCount"]
        for name, one in tasks.items()
        if "retryPolicy" in one
    }
    assert retried == {name: place.retries for name, place in PLACES.items() if place.retries}


def test_compiling_twice_gives_the_same_bytes(compiled: dict[Task, Path], tmp_path: Path) -> None:
    again = compile_pipelines(tmp_path)
    for task, file in compiled.items():
        assert again[task].read_bytes() == file.read_bytes()


def test_a_wrong_hand_over_fails_when_it_is_compiled() -> None:
    def wrong() -> None:
        raw = ingest(source="synthetic:people=1,images=1", seed=0, params={}).outputs["raw"]
        train(crops=raw, validation=raw, task="recognition", seed=0, params={})

    with pytest.raises(InconsistentTypeException, match="VultusRawFaces"):
        dsl.pipeline(name="wrong")(wrong)


def test_the_source_tag_sees_every_step_and_no_test(tmp_path: Path) -> None:
    for name in ("vultus/a.py", "components/crop/step.py", "tests/test_a.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "constraints.txt").write_text("numpy==2")

    def tag() -> str:
        source_tag.cache_clear()
        return source_tag(tmp_path)

    try:
        first = tag()
        assert first == tag()
        (tmp_path / "tests/test_a.py").write_text("2")
        (tmp_path / "vultus/a.pyc").write_text("2")
        assert tag() == first
        seen = {first}
        for name in ("vultus/a.py", "components/crop/step.py", "constraints.txt"):
            (tmp_path / name).write_text("changed")
            seen.add(tag())
        assert len(seen) == 4
    finally:
        source_tag.cache_clear()


def test_a_command_of_the_ir_runs_as_written(compiled: dict[Task, Path], tmp_path: Path) -> None:
    """The container's own command line, with the launcher's placeholder filled in by hand."""
    people = write_people(tmp_path / "people", people=4, images=2)
    out = tmp_path / "raw"
    container = spec_of(compiled[Task.RECOGNITION])["deploymentSpec"]["executors"]["exec-ingest"]
    params = dict.fromkeys(SHARES, 0)
    task = {
        "inputs": {"parameterValues": {"source": str(people), "seed": 0, "params": params}},
        "outputs": {
            "artifacts": {
                "raw": {
                    "artifacts": [
                        {
                            "name": "raw",
                            "type": {
                                "schemaTitle": "system.VultusRawFaces",
                                "schemaVersion": "0.0.1",
                            },
                            "uri": str(out),
                            "metadata": {},
                        }
                    ]
                }
            },
            "outputFile": str(tmp_path / "executor_output.json"),
        },
    }
    command = [*container["container"]["command"], *container["container"]["args"]]
    filled = [part.replace("{{$}}", json.dumps(task)) for part in command]
    home = tmp_path / "home"
    home.mkdir()
    (home / "weights").symlink_to(weights_folder())
    done = subprocess.run(
        filled,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(CHECKOUT),
            "VULTUS_HOME": str(home),
            "HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert RawFaces.open(out).faces.num_rows == 8
    said = json.loads((tmp_path / "executor_output.json").read_text())
    assert said["artifacts"]["raw"]["artifacts"][0]["metadata"]["images"] == 8
