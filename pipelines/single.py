"""One step alone, on folders: the KFP component's own function, called in this process."""

import inspect
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from pipelines.params import STEPS, bad_parameter, place, split_change
from vultus.errors import BadParameter

if TYPE_CHECKING:
    from vultus.settings import Settings


@dataclass(frozen=True)
class Ran:
    """What a step said. answer: "passed", "refused" or None; facts: its artifacts' metadata, by name."""

    answer: str | None
    facts: dict[str, dict[str, Any]]


def run_step(
    settings: "Settings",
    verb: str,
    inputs: list[str],
    outputs: list[str],
    params_file: Path | None,
    changes: list[str],
    *,
    params: dict[str, Any] | None = None,
) -> Ran:
    """Call `components.<verb>.component` on folders.

    Args:
        inputs, outputs: NAME=FOLDER, the names of the component's signature.
        params_file: YAML with the step's own params; changes: name=value or verb.name=value;
            params: the same as a dictionary, which the other two change.
    Raises: BadParameter, naming what is missing or unknown; whatever the step raises.
    """
    from kfp import dsl

    if verb not in STEPS:
        raise BadParameter(f"no step is called '{verb}'; steps are {', '.join(STEPS)}")
    os.environ["VULTUS_HOME"] = str(settings.paths.root)
    function = getattr(import_module(f"components.{verb}.component"), verb).python_func
    given = _pairs(inputs) | _pairs(outputs)
    params = {**(params or {}), **_params(params_file, verb, changes)}
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "params":
            arguments[name] = {k: v for k, v in params.items() if k not in arguments}
        elif name in given:
            arguments[name] = dsl.Artifact(uri=str(Path(given.pop(name)).absolute()))
        elif name in params:
            arguments[name] = params[name]
        elif name in ("metrics", "report"):
            arguments[name] = _aside(name, parameter.annotation, outputs)
        else:
            raise BadParameter(
                f"{verb} needs {name}: give --in/--out {name}=FOLDER or --set {name}=…"
            )
    if given:
        raise BadParameter(f"{verb} knows no {', '.join(given)}")
    try:
        result = function(**arguments)
    except ValidationError as error:
        raise bad_parameter(verb, error) from error
    facts = {name: one.metadata for name, one in arguments.items() if isinstance(one, dsl.Artifact)}
    return Ran(result if isinstance(result, str) else None, facts)


def _pairs(entries: list[str]) -> dict[str, str]:
    pairs = {}
    for entry in entries:
        name, separator, folder = entry.partition("=")
        if not separator or not folder:
            raise BadParameter(f"'{entry}': write NAME=FOLDER")
        pairs[name] = folder
    return pairs


def _params(file: Path | None, verb: str, changes: list[str]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if file is not None:
        try:
            params = yaml.safe_load(file.read_text()) or {}
        except (OSError, yaml.YAMLError) as error:
            raise BadParameter(f"{file} cannot be read as YAML: {error}") from error
        if not isinstance(params, dict):
            raise BadParameter(f"{file} must hold names and values, not {type(params).__name__}")
    for change in changes:
        name, value = split_change(change)
        place(params, name.removeprefix(f"{verb}.").split("."), value, change)
    return params


def _aside(name: str, annotation: Any, outputs: list[str]) -> Any:
    """KFP's own drawing outputs lie beside the step's artifact."""
    from kfp import dsl

    place = Path(next(iter(_pairs(outputs).values()), ".")).absolute().parent / name
    kind = dsl.Metrics if name == "metrics" else dsl.HTML
    return kind(uri=str(place))
