"""`vultus verdict`: where a registered model stands against the standards."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vultus.errors import BadArtifact, BadParameter

if TYPE_CHECKING:
    from vultus.contracts.models import ModelVersion
    from vultus.metrics.standards import Finding
    from vultus.reports.standing import Observed
    from vultus.settings import Settings

_MODEL = typer.Argument(
    metavar="MODEL",
    help="vultus-pad, models:/vultus-pad/3, models:/vultus-pad@champion, or a folder",
)
_EXITS = (
    "Exit code 0: the verdict was given, whatever it is; 1: it cannot be given, with the reason."
)
_NAME = re.compile(r"vultus-[a-z]+(@[a-z]+|/\d+)?")
_COLOURS = {"pass": typer.colors.GREEN, "fail": typer.colors.RED, "missing": typer.colors.YELLOW,
            "not_enough_data": typer.colors.YELLOW}  # fmt: skip


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command(epilog=_EXITS)(verdict)


def verdict(
    ctx: typer.Context,
    model: Annotated[str, _MODEL],
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
) -> None:
    """PASS, FAIL or NOT ENOUGH DATA per requirement of the standards, and the sample needed."""
    from vultus.metrics.standards import Standing
    from vultus.reports.standing import findings, overall

    version = _version(ctx.obj, model)
    found = findings(_observed(version))
    whole = overall(found)
    if as_json:
        said = {
            "model": version.statement.name,
            "digest": version.digest,
            "verdict": whole.value,
            "note": "method follows the standards named; nothing here is certified",
            "findings": [asdict(one) for one in found],
        }
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    typer.echo(f"{version.statement.name} {version.digest[:12]}: {_word(whole.value)}")
    typer.echo("Method follows the standards named; nothing here is certified.")
    source = ""
    for one in found:
        if one.standard != source:
            source = one.standard
            typer.echo(f"\n{source}")
        _say(one, quiet=one.standing is Standing.NOT_JUDGED)


def _say(one: "Finding", *, quiet: bool) -> None:
    mark = typer.style(f"{_word(one.standing.value):<16}", fg=_COLOURS.get(one.standing.value))
    typer.echo(f"  {mark} {one.clause:<8} {one.requirement}")
    if one.found:
        typer.echo(f"{'':19}{one.found}")
    if one.standing.value == "not_enough_data" and one.needed:
        typer.echo(f"{'':19}needed: {one.needed}")
    if one.why and (quiet or one.standing.verdict is not None):
        typer.echo(f"{'':19}{one.why}")


def _word(value: str) -> str:
    word = value.replace("_", " ")
    return word.upper() if value in ("pass", "fail", "not_enough_data") else word


def _observed(version: "ModelVersion") -> "Observed":
    from vultus.contracts.evaluation import FIGURES, LINEAGE
    from vultus.reports.standing import Observed

    file = version.path / "lineage.parquet"
    return Observed(
        FIGURES.validate_json((version.path / "figures.json").read_bytes()),
        version.table("scores.parquet"),
        version.table("thresholds.parquet"),
        # A version from before lineage was kept: subjects and evidence are then unknown.
        version.table(file.name) if file.exists() else LINEAGE.empty_table(),
    )


def _version(settings: "Settings", model: str) -> "ModelVersion":
    """The signed version that is meant. Raises: BadParameter, BadArtifact, BadSignature."""
    from vultus.contracts.models import ModelVersion
    from vultus.inference.champion import home_key
    from vultus.registry import registry_from
    from vultus.signing import verify_version

    home = settings.paths
    folder = Path(model)
    if not folder.is_dir():
        if not _NAME.fullmatch(model.removeprefix("models:/")):
            raise BadParameter(f"'{model}' is no folder and no model; see `vultus models`")
        name = model.removeprefix("models:/")
        registry = registry_from(settings.tracking, home)
        if "@" in name or "/" in name:
            ref = registry.resolve(f"models:/{name}")
        else:
            known = list(registry.versions(name))
            ref = next((v for v in known if "champion" in v.aliases), known[0] if known else None)
        if ref is None:
            raise BadArtifact(f"{model} is not registered; see `vultus models`")
        folder = registry.fetch(ref, home.models)
    version = ModelVersion.open(folder)
    verify_version(folder, home_key(home))
    return version
