"""Params of a whole run: a YAML file, `--set step.name=value`, checked before anything is computed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from vultus.contracts.words import Task
from vultus.errors import BadParameter

STEPS = ("ingest", "crop", "validate", "train", "evaluate", "export", "register", "promote")


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
        path, separator, value = change.partition("=")
        step, dot, name = path.partition(".")
        if not separator or (step in STEPS) != bool(dot):
            raise BadParameter(f"--set {change}: write step.name=value, source=… or seed=…")
        if dot:
            params.setdefault(step, {})[name] = yaml.safe_load(value)
        else:
            params[step] = yaml.safe_load(value)
    unknown = set(params) - {*STEPS, "source", "seed"}
    if unknown:
        raise BadParameter(f"unknown: {', '.join(sorted(unknown))}; steps are {', '.join(STEPS)}")
    return params


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
        try:
            model.model_validate({**given, **fixed.get(step, {})})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in (step, *first["loc"]))
            raise BadParameter(f"{place}: {first['msg']} (got {first['input']!r})") from error
