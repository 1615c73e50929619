"""`vultus compare`: models on the same trials, in one table of accuracy and cost."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from vultus.contracts.words import Task

if TYPE_CHECKING:
    from components.evaluate.contenders import Contender
    from components.evaluate.contest import Standing
    from vultus.reports import Block
    from vultus.settings import Settings

_TITLE = "Comparison of models"


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(compare)


def compare(
    ctx: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="models:/name/3, models:/name@alias, a folder, sface, npm-liveness, edge, …; "
            "default: every public, registered and trained model there is"
        ),
    ] = None,
    task: Annotated[str, typer.Option(help="without names: recognition, liveness or all")] = "all",
    data: Annotated[str | None, typer.Option(help="data version; default: the newest")] = None,
    pictures: Annotated[int, typer.Option(min=2, help="of each split at most")] = 2000,
    int8: Annotated[
        bool, typer.Option(help="make and judge int8 forms of networks that came without")
    ] = True,
    out: Annotated[Path | None, typer.Option("--out", help="folder of the report")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """Figures with intervals, parameters, operations, milliseconds and licences, side by side."""
    from components.evaluate import EvaluateParams
    from components.evaluate.contest import compare as judged
    from components.evaluate.cost import processor
    from components.evaluate.report_contest import contest_blocks
    from pipelines.versions import open_version
    from vultus.contracts.faces import FaceCrops
    from vultus.errors import BadParameter
    from vultus.reports import Text
    from vultus.storage import store_from

    settings: Settings = ctx.obj
    home = settings.paths
    crops = open_version(home, data)
    if not isinstance(crops, FaceCrops):
        raise BadParameter(f"{crops.path} holds no crops; name a version of FaceCrops")
    store, params = store_from(settings.storage, home), EvaluateParams(pictures=pictures)
    lines: list[Standing] = []
    blocks: list[Block] = []
    with TemporaryDirectory() as folder:
        place = Path(folder)
        groups, missing = _groups(settings, models, task, place)
        for group in groups:
            lost = None if models else missing
            found = judged(group, crops.crops, params, store, place, int8=int8, lost=lost)
            lines += found
            blocks += contest_blocks(found, processor()) if found else []
    blocks += [Text(f"Not compared: {one}", quiet=True) for one in missing]
    said = {"data": crops.digest, "processor": processor(), "missing": missing}
    text = json.dumps({**said, "models": [x.model_dump(mode="json") for x in lines]}, indent=2)
    stamp = datetime.now(UTC).strftime("%Y-%m-%d-%H-%M-%S")
    page = _written(out or home.reports / f"comparison-{stamp}", text, blocks)
    if as_json:
        typer.echo(text)
        return
    for line in lines:
        typer.echo(_in_short(line))
    for one in missing:
        typer.echo(f"not compared: {one}")
    typer.echo(f"  {page}")


def _groups(
    settings: "Settings", names: list[str] | None, task: str, place: Path
) -> tuple[list[list["Contender"]], list[str]]:
    """Contenders of each task, and what could not be had.

    Raises: BadParameter, for names of both tasks, or a task that is none.
    """
    from pipelines.models import Models
    from vultus.errors import BadParameter
    from vultus.registry import registry_from

    registry = registry_from(settings.tracking, settings.paths)
    models = Models(settings.paths, registry, place)
    if names:
        return [[models.named(name) for name in names]], []
    if task not in ("all", *(one.value for one in Task)):
        raise BadParameter(f"--task {task}: recognition, liveness or all")
    every = [models.all_of(one) for one in Task if task in ("all", one.value)]
    return [found for found, _ in every if found], [one for _, lost in every for one in lost]


def _written(folder: Path, text: str, blocks: list["Block"]) -> Path:
    """comparison.json, report.pdf and the page that is returned."""
    from vultus.reports import to_html, to_pdf

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(text)
    (folder / "report.pdf").write_bytes(to_pdf(_TITLE, blocks))
    page = folder / "report.html"
    page.write_text(to_html(_TITLE, blocks), encoding="utf-8")
    return page


def _in_short(line: "Standing") -> str:
    from components.evaluate.wording import name_of, number

    first = line.figures[0]
    said = f"{line.name}: {name_of(first)} {number(first.value, first.name)}"
    small = "" if line.cpu_ms_int8 is None else f", int8 {line.cpu_ms_int8:.2f} ms"
    return f"{said}, {line.mflops:,.0f} MFLOPs, {line.cpu_ms:.2f} ms{small}"
