"""A source into a data version: ingest, crop and validate, one after the other, in one folder."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from pipelines.params import bad_parameter, read_params
from pipelines.single import Ran, run_step
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.errors import BadData, BadParameter

if TYPE_CHECKING:
    from vultus.settings import Settings

VERBS = ("ingest", "crop", "validate")
_PREFIX = re.compile(r"^vultus \w+ ")


@dataclass(frozen=True)
class Intake:
    """What came of it.

    read, known: pictures that the source offered and that were read now, or known from before.
    cut, cut_before: pictures (simulated ones among them) that were unpacked now, or cut before.
    refused: why `validate` stopped the data; None where it passed.
    """

    folder: Path
    raw: RawFaces
    crops: FaceCrops
    read: int
    known: int
    cut: int
    cut_before: int
    refused: str | None
    seconds: float

    @property
    def validation(self) -> Path:
        """Where Data Docs and dataset report lie."""
        name = "validation" if self.refused is None else "validation.refused"
        return self.folder / name


def take_in(
    settings: "Settings",
    source: str,
    changes: list[str],
    *,
    out: Path | None,
    said: Callable[[str], None],
) -> Intake:
    """Make a data version.

    Args:
        source: see `vultus.components.ingest`; changes: seed=1, ingest.print_share=0, …
        out: the version's folder; default: a new one in the state folder.
        said: called with every progress line.
    Raises: BadParameter before anything is computed; BadSource, BadData without a single picture or
        face, StorageUnavailable. Data that the suite refuses is a result.
    """
    start = time.monotonic()
    params = _checked(source, changes)
    folder = (out or settings.paths.data / _name(source)).absolute()
    with _progress(said):
        raw, crops = {"raw": folder / "raw"}, {"crops": folder / "crops"}
        taken = _step(settings, "ingest", params, {}, raw).facts["raw"]
        cut = _step(settings, "crop", params, raw, crops).facts["crops"]
        refused = _validated(settings, folder, params["validate"])
    return Intake(
        folder,
        RawFaces.open(folder / "raw"),
        FaceCrops.open(folder / "crops"),
        taken["read"],
        taken["known"],
        cut["cut"],
        cut["known"],
        refused,
        time.monotonic() - start,
    )


def _validated(settings: "Settings", folder: Path, params: dict[str, Any]) -> str | None:
    """What `validate` does, with the report that shows augmentation too. Returns: why it refuses."""
    from components.validate import ValidateParams, validate_crops
    from pipelines.reporting import report_writer, with_recipes

    given = ValidateParams.model_validate(params)
    writer = with_recipes(report_writer(settings, given.report))
    raw, crops, out = (folder / name for name in ("raw", "crops", "validation"))
    try:
        validate_crops(raw, crops, out, given, report=writer.write)
    except BadData as error:
        return str(error)
    return None


def _checked(source: str, changes: list[str]) -> dict[str, dict[str, Any]]:
    """Params of each step, seen by the step's own model. Raises: BadParameter."""
    from components.crop import CropParams
    from components.ingest import IngestParams
    from components.validate import ValidateParams

    given = read_params(None, changes)
    if "source" in given:
        raise BadParameter("the source is the first word after `ingest`; leave --set source=… out")
    later = sorted({*given} - {"seed", *VERBS})
    if later:
        raise BadParameter(f"{later[0]} is no part of this: steps here are {', '.join(VERBS)}")
    fixed = {"source": source, "seed": given.get("seed", 0)}
    params = {verb: dict(given.get(verb, {})) for verb in VERBS}
    models: dict[str, type[BaseModel]] = {
        "ingest": IngestParams,
        "crop": CropParams,
        "validate": ValidateParams,
    }
    for verb, model in models.items():
        try:
            model.model_validate(params[verb] | (fixed if verb == "ingest" else {}))
        except ValidationError as error:
            raise bad_parameter(verb, error) from error
    params["ingest"] |= fixed
    return params


def _step(
    settings: "Settings",
    verb: str,
    params: dict[str, dict[str, Any]],
    inputs: dict[str, Path],
    outputs: dict[str, Path],
) -> Ran:
    made = _written(outputs)
    return run_step(settings, verb, _written(inputs), made, None, [], params=params[verb])


def _written(folders: dict[str, Path]) -> list[str]:
    return [f"{name}={folder}" for name, folder in folders.items()]


def _name(source: str) -> str:
    """Such as `20261125-101500-synthetic-people-12`: sorted by time, told by source."""
    words = "-".join(re.findall(r"[A-Za-z0-9]+", source))[-40:].strip("-").lower()
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{words}"


@contextmanager
def _progress(said: Callable[[str], None]) -> Iterator[None]:
    """Hand the steps' log lines over instead of printing them."""
    handler = _Lines(said)
    root = logging.getLogger()
    level, others = root.level, root.handlers[:]
    root.handlers[:] = [handler]  # the steps' door gives its format to whatever is there
    try:
        yield
    finally:
        root.handlers[:] = others
        root.setLevel(level)


class _Lines(logging.Handler):
    def __init__(self, said: Callable[[str], None]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said(_PREFIX.sub("", self.format(record)))
