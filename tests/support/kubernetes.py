"""Reads manifests the way a cluster would: kubectl's kustomize, KServe's own model classes."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.placement import CHECKOUT

MANIFESTS = CHECKOUT / "manifests"
OVERLAYS = sorted(folder.name for folder in (MANIFESTS / "overlays").iterdir())
FEATURES = sorted(folder.name for folder in (MANIFESTS / "features").iterdir())
_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "object": (object,),
    "datetime": (str,),
}
_QUANTITIES = {"limits", "requests", "sizeLimit", "storage"}


class NoKubectl(Exception):
    """No kubectl with a kustomize that knows `kind: Component`; the reason of a skip."""


@cache
def overlay(name: str) -> tuple[dict[str, Any], ...]:
    """Every object of one overlay. Raises: NoKubectl, CalledProcessError."""
    return kustomize(MANIFESTS / "overlays" / name)


def kustomize(folder: Path) -> tuple[dict[str, Any], ...]:
    """Every object that `kubectl kustomize` makes of a folder. Raises: NoKubectl."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise NoKubectl("no kubectl on PATH")
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True)
    if not re.search(r"Kustomize Version: v(4\.[1-9]|[5-9])", version.stdout):
        raise NoKubectl(f"{kubectl} has no kustomize 4.1 or newer: {version.stdout.strip()}")
    made = subprocess.run([kubectl, "kustomize", str(folder)], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return tuple(document for document in yaml.safe_load_all(made.stdout) if document)


def pod_specs(documents: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    """Every pod that the objects start, canaries included."""
    for document in documents:
        spec = document.get("spec", {})
        if document["kind"] == "InferenceService":
            yield spec["predictor"]
            for canary in spec.get("canary", ()):
                yield canary["predictor"]
        elif document["kind"] == "CronJob":
            yield spec["jobTemplate"]["spec"]["template"]["spec"]


def faults(value: Any, kind: str, place: str = "") -> list[str]:
    """What one of KServe's or Kubernetes' generated classes would not take.

    Args: value: parsed YAML; kind: a type as `openapi_types` writes it ("list[V1Container]").
    Returns: one line for each unknown field, wrong type and missing required field.
    """
    if kind.startswith("list["):
        if not isinstance(value, list):
            return [f"{place}: a list is expected, not {value!r}"]
        inner = kind.removeprefix("list[")[:-1]
        return [f for i, part in enumerate(value) for f in faults(part, inner, f"{place}[{i}]")]
    if kind.startswith("dict("):
        if not isinstance(value, dict):
            return [f"{place}: a mapping is expected, not {value!r}"]
        inner = kind.removeprefix("dict(")[:-1].partition(",")[2].strip()
        quantity = inner == "str" and place.rpartition(".")[2] in _QUANTITIES
        inner = "object" if quantity else inner
        return [f for key, part in value.items() for f in faults(part, inner, f"{place}.{key}")]
    if kind in _PLAIN:
        right = isinstance(value, _PLAIN[kind])
        if kind in ("int", "float") and isinstance(value, bool):
            right = False
        return [] if right else [f"{place}: {kind} is expected, not {value!r}"]
    return _faults_of_class(value, _class(kind), place)


def _faults_of_class(value: Any, model: Any, place: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{place}: {model.__name__} is expected, not {value!r}"]
    names = {json_name: name for name, json_name in model.attribute_map.items()}
    found = []
    for key, part in value.items():
        if key not in names:
            found.append(f"{place}.{key}: {model.__name__} has no such field")
        else:
            found += faults(part, model.openapi_types[names[key]], f"{place}.{key}")
    if not found:
        given = {names[key]: value[key] for key in value}
        try:
            model(**given)
        except ValueError as error:
            found.append(f"{place}: {error}")
    return found


def _class(kind: str) -> Any:
    """`V1Container`, `V1beta1PredictorSpec`, `K8sIoApiAutoscalingV2…`: the class of that name."""
    import kserve.models
    import kubernetes.client

    short = re.sub(r"^K8sIo(?:Api|Apimachinery)[A-Z][a-z]+", "", kind)
    for name in (kind, short, short.removeprefix("V1")):
        for module in (kserve.models, kubernetes.client):
            if hasattr(module, name):
                return getattr(module, name)
    raise LookupError(f"neither kserve nor kubernetes has a class {kind}")
