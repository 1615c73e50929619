"""Params of a whole run: a YAML file, `--set step.name=value`, checked before anything is computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from vultus.contracts.words import Task
from vultus.errors import BadParameter

STEPS = ("ingest", "crop", "validate", "train", "evaluate", "export", "register", "promote")
_KNOWN = f"steps are {', '.join(STEPS)}"


def read_params(file: Path | None, changes: Iterable[str]) -> dict[str, Any]:
    """Merge a params file with `step.name=value` changes.

    Returns: `source`, `seed` and one dict a step, only what was given.
    Raises: BadParameter, naming the line or the change.
    """
    params: dict[str, Any] = {}
    if file is not None:
        try:
            loaded = yaml.safe_load(file.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise BadParameter(f"{file} cannot be read as YAML: {error}") from error
        if not isinstance(loaded, dict):
            raise BadParameter(f"{file} must hold names and values, not {type(loaded).__name__}")
        params.update(loaded)
    for change in changes:
        path, value = split_change(change)
        step, *names = path.split(".")
        if names and step not in STEPS:
            raise BadParameter(f"--set {change}: no step is called '{step}'; {_KNOWN}")
        if bool(names) != (step in STEPS):
            raise BadParameter(f"--set {change}: write step.name=value, source=… or seed=…")
        place(params, [step, *names], value, change)
    unknown = set(params) - {*STEPS, "source", "seed"}
    if unknown:
        raise BadParameter(f"unknown: {', '.join(sorted(unknown))}; {_KNOWN}")
    return params


def split_change(change: str) -> tuple[str, Any]:
    """`name=value` -> name and the value as YAML reads it. Raises: BadParameter."""
    path, separator, text = change.partition("=")
    if not separator or not path:
        raise BadParameter(f"--set {change}: write name=value")
    try:
        return path, yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadParameter(f"--set {change}: the value is no YAML: {error}") from error


def place(params: dict[str, Any], path: list[str], value: Any, change: str) -> None:
    """Put a value at a dotted path, e.g. crop.detector.min_face_px. Raises: BadParameter."""
    *parents, last = path
    for name in parents:
        inner = params.setdefault(name, {})
        if not isinstance(inner, dict):
            raise BadParameter(f"--set {change}: {name} is {inner!r}, it has no names inside")
        params = inner
    params[last] = value


def bad_parameter(step: str, error: ValidationError) -> BadParameter:
    """pydantic's first complaint as one sentence: where, what, and what was given."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in (step, *first["loc"]))
    if first["type"] == "extra_forbidden":
        return BadParameter(
            f"{where}: {step} knows no such parameter; see components/{step}/README.md"
        )
    return BadParameter(f"{where}: {first['msg']} (got {first['input']!r})")


def check_params(task: Task, params: dict[str, Any]) -> None:
    """Let every step's own Params look at its dict now, not after ten minutes.

    Raises: BadParameter, naming step, parameter and what is wrong with it.
    """
    from components.crop import CropParams
    from components.evaluate import EvaluateParams
    from components.export import ExportParams
    from components.ingest import IngestParams
    from components.promote import PromoteParams
    from components.register import RegisterParams
    from components.train import TrainParams
    from components.validate import ValidateParams

    fixed = {
        "ingest": {"source": params.get("source", "synthetic:"), "seed": params.get("seed", 0)},
        "train": {"task": task, "seed": params.get("seed", 0)},
    }
    models: dict[str, type[BaseModel]] = {
        "ingest": IngestParams,
        "crop": CropParams,
        "validate": ValidateParams,
        "train": TrainParams,
        "evaluate": EvaluateParams,
        "export": ExportParams,
        "register": RegisterParams,
        "promote": PromoteParams,
    }
    for step, model in models.items():
        given = params.get(step, {})
        if not isinstance(given, dict):
            raise BadParameter(f"{step}: expected names and values, got {given!r}")
        whole = fixed.get(step, {})
        for name in sorted(set(given) & set(whole)):
            raise BadParameter(f"{step}.{name} belongs to the whole run: write {name}=…, no step")
        try:
            model.model_validate({**given, **whole})
        except ValidationError as error:
            raise bad_parameter(step, error) from error
