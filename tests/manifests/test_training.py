"""The TrainJob is what Kubeflow Trainer takes, and starts the command with params that it knows."""

import copy
import re
from collections.abc import Callable
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from components.train import TrainParams
from pipelines.images import read_bake
from support import kubernetes
from vultus.settings import Settings

pytestmark = pytest.mark.slow
_KUBERNETES = "1.32"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def documents() -> tuple[Document, ...]:
    try:
        return kubernetes.kustomize(kubernetes.MANIFESTS / "base" / "training")
    except kubernetes.NoKubectl as error:
        pytest.skip(str(error))


@pytest.fixture
def job(documents: tuple[Document, ...]) -> Document:
    (found,) = (document for document in documents if document["kind"] == "TrainJob")
    return copy.deepcopy(found)


@pytest.fixture(scope="module")
def model() -> type[BaseModel]:
    """Kubeflow's own class of a TrainJob, generated from its CRD."""
    return pytest.importorskip("kubeflow_trainer_api.models").TrainerV1alpha1TrainJob


def _node(job: Document) -> Document:
    """The pod that the patch makes of the runtime's."""
    (patch,) = job["spec"]["runtimePatches"]
    (node,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    assert node["name"] == "node"
    pod: Document = node["template"]["spec"]["template"]
    return pod


def _faults(given: Any, taken: Any, place: str = "") -> list[str]:
    """What is missing, or another, in what the class made of the document: it drops unknown fields."""
    if isinstance(given, dict) and isinstance(taken, dict):
        lost = [f"{place}.{key}" for key in given if key not in taken]
        return lost + [
            fault
            for key in given.keys() & taken.keys()
            for fault in _faults(given[key], taken[key], f"{place}.{key}")
        ]
    if isinstance(given, list) and isinstance(taken, list) and len(given) == len(taken):
        both = enumerate(zip(given, taken, strict=True))
        return [f for i, pair in both for f in _faults(*pair, f"{place}[{i}]")]
    if isinstance(taken, dict) and "actual_instance" in taken:  # a quantity
        taken = taken["actual_instance"]
    return [] if given == taken else [place]


def _wrapped(value: Any, key: str = "") -> Any:
    """Quantities as the generated classes take them: they are records there, and strings in YAML."""
    if isinstance(value, dict):
        amounts = key in ("requests", "limits")
        return {k: {"actual_instance": v} if amounts else _wrapped(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_wrapped(part) for part in value]
    return {"actual_instance": value} if key == "sizeLimit" else value


def _read(job: Document, model: type[BaseModel]) -> list[str]:
    taken = model.model_validate(_wrapped(job))
    return _faults(job, taken.model_dump(by_alias=True, exclude_none=True, mode="json"))


def test_kubeflows_own_class_takes_every_field(job: Document, model: type[BaseModel]) -> None:
    assert job["apiVersion"] == "trainer.kubeflow.org/v1alpha1"
    assert job["spec"]["runtimeRef"]["name"] == "torch-distributed"
    assert _read(job, model) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda j: j["spec"]["trainer"].update(numNode=2), r"spec\.trainer\.numNode"),
        (lambda j: j["spec"]["trainer"].update(numNodes="2"), "numNodes"),
        (lambda j: j["spec"].update(podTemplateOverrides=[]), r"spec\.podTemplateOverrides"),
        (lambda j: _node(j)["spec"].update(hostNetwork=True), "hostNetwork"),
        (lambda j: _node(j)["spec"]["containers"][0].update(image="x"), r"containers\[0\]\.image"),
        (lambda j: j["spec"]["runtimeRef"].pop("name"), r"runtimeRef\.name"),
    ],
)
def test_the_check_finds_wrong_fields(
    job: Document, model: type[BaseModel], change: Callable[[Document], object], said: str
) -> None:
    change(job)
    try:
        found = "\n".join(_read(job, model))
    except ValidationError as error:
        found = str(error)
    assert re.search(said, found), found


def test_the_other_kinds_pass_the_strict_schemas(documents: tuple[Document, ...]) -> None:
    core = [document for document in documents if document["kind"] != "TrainJob"]
    assert {document["kind"] for document in core} == {
        "ConfigMap",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "ServiceAccount",
    }
    for document in core:
        kubernetes_validate.validate(document, _KUBERNETES, strict=True)


def test_the_params_are_those_of_the_step(documents: tuple[Document, ...], job: Document) -> None:
    (settings,) = (d for d in documents if d["kind"] == "ConfigMap")
    params = TrainParams.model_validate(yaml.safe_load(settings["data"]["params.yaml"]))
    assert params.whole
    trainer = job["spec"]["trainer"]
    assert params.batch >= 2 * trainer["numNodes"] * trainer["numProcPerNode"]
    (file,) = (a for a in trainer["args"] if a.endswith(".yaml"))
    mounts = {
        m["mountPath"]: m["name"] for m in _node(job)["spec"]["containers"][0]["volumeMounts"]
    }
    folder, _, name = file.rpartition("/")
    assert name in settings["data"]
    (volume,) = (v for v in _node(job)["spec"]["volumes"] if v["name"] == mounts[folder])
    assert volume["configMap"]["name"] == settings["metadata"]["name"]


def test_what_it_names_exists(documents: tuple[Document, ...], job: Document) -> None:
    trainer, pod = job["spec"]["trainer"], _node(job)
    found = re.fullmatch(r"[\w.]+/vultus/([\w-]+):([\w.-]+)", trainer["image"])
    assert found
    assert found[1] in read_bake()[0]
    assert found[2] != "latest"
    names = {(d["kind"], d["metadata"]["name"]) for d in documents}
    assert ("ServiceAccount", pod["spec"]["serviceAccountName"]) in names
    (claim,) = (v for v in pod["spec"]["volumes"] if "persistentVolumeClaim" in v)
    assert ("PersistentVolumeClaim", claim["persistentVolumeClaim"]["claimName"]) in names
    policy = next(d for d in documents if d["kind"] == "NetworkPolicy")
    assert policy["spec"]["podSelector"]["matchLabels"] == pod["metadata"]["labels"]
    assert "volumeMounts" in pod["spec"]["containers"][0]
    assert {m["name"] for m in pod["spec"]["containers"][0]["volumeMounts"]} == {
        volume["name"] for volume in pod["spec"]["volumes"]
    }
    for row in trainer["env"]:
        place: Any = Settings
        for part in row["name"].removeprefix("VULTUS_").lower().split("__"):
            assert part in place.model_fields, f"{row['name']}: Settings has no {part}"
            place = place.model_fields[part].annotation


def test_the_pod_is_read_only_without_rights_and_as_nobody(job: Document) -> None:
    """What the namespace's restricted policy asks for, and a root file system that cannot change."""
    spec = _node(job)["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    secret = re.compile(r"KEY|SECRET|PASSWORD|TOKEN")
    rows = [row for row in job["spec"]["trainer"]["env"] if secret.search(row["name"])]
    assert rows
    assert all("secretKeyRef" in row["valueFrom"] for row in rows)
