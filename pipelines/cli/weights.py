"""`vultus weights list | fetch | verify`: pretrained files, their licences, whether they are here."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vultus.settings import Settings
    from vultus.weights import Entry

_JSON = typer.Option("--json", help="machine-readable")
_PAIR = ("minifasnet-v2", "minifasnet-v1se")
"""Rows of the two files that DeepFace's baseline is made of."""


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Pretrained files: list them, fetch them, verify them.",
    )
    group.command("list")(list_weights)
    group.command()(fetch)
    group.command()(verify)
    app.add_typer(group, name="weights")


def list_weights(ctx: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """Every pretrained file: where from, licence, trained on what, sha256, and its state here."""
    from rich.console import Console
    from rich.table import Table

    settings: Settings = ctx.obj
    rows = [_row(settings, name) for name in _names(settings)]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "from", "licence", "sha256", "MB", "state")
    for row in rows:
        table.add_row(
            row["name"],
            row["source"],
            row["licence"],
            row["hash"],
            "" if row["bytes"] is None else f"{row['bytes'] / 1e6:.1f}",
            row["state"],
        )
    console = Console()
    console.print(table)
    for row in rows:
        seen = f"; attacks seen: {row['evidence']}" if row["evidence"] else ""
        console.print(f"{row['name']}: {row['title']}; trained on: {row['training_data']}{seen}")


def fetch(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="default: all that can be had")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Fetch files with their registry's own client, check them, keep them; what is here stays.

    Exit code 1 where a file could not be had; the others are kept all the same.
    """
    from vultus.errors import WeightsUnavailable

    settings: Settings = ctx.obj
    chosen = [name for name in names or _names(settings) if _row(settings, name)]
    failed: dict[str, str] = {}
    for name in chosen:
        try:
            place = _locate(settings, name)
        except WeightsUnavailable as error:
            failed[name] = str(error)
            if not as_json:
                typer.secho(f"{name}: not to be had: {error}", fg=typer.colors.RED, err=True)
        else:
            if not as_json:
                typer.echo(f"{name}: {place}")
    if as_json:
        rows = [{**_row(settings, name), "error": failed.get(name)} for name in chosen]
        typer.echo(json.dumps(rows, indent=2))
    if failed:
        raise typer.Exit(1)


def verify(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="default: all that is here")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Hash every file that is here again. Exit code 1 where one is not what was fetched."""
    from vultus.baselines import deepface
    from vultus.weights import verify as hashed

    settings: Settings = ctx.obj
    folder, rows = settings.paths.weights, []
    for name in names or _names(settings):
        row = _row(settings, name)
        wrong = None if name == deepface.NAME else hashed(name, folder)
        if name == deepface.NAME and row["path"] is None and (folder / deepface.FILE).exists():
            wrong = f"{folder / deepface.FILE} is not what was converted; delete it, fetch it again"
        rows.append({"name": name, "state": "wrong" if wrong else row["state"], "error": wrong})
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    for row in rows if not as_json else ():
        typer.echo(f"{row['name']}: {row['error'] or row['state']}")
    if any(row["error"] for row in rows):
        raise typer.Exit(1)


def _names(settings: "Settings") -> list[str]:
    from vultus.baselines.deepface import NAME
    from vultus.weights import table

    return [*table(settings.paths.weights), NAME]


def _locate(settings: "Settings", name: str) -> Path:
    """Raises: WeightsUnavailable."""
    from vultus.baselines.deepface import NAME, locate_fasnet
    from vultus.errors import WeightsUnavailable
    from vultus.weights import available, fetch

    folder = settings.paths.weights
    if name != NAME:
        return available(name, folder) or fetch(name, folder, lambda uri: _version(settings, uri))
    try:
        return locate_fasnet(folder)
    except WeightsUnavailable as absent:
        try:
            for part in _PAIR:
                if available(part, folder) is None:
                    fetch(part, folder)
        except WeightsUnavailable as error:
            raise WeightsUnavailable(f"{absent}; by URL: {error}") from error
        return locate_fasnet(folder)


def _version(settings: "Settings", uri: str) -> Path:
    """The folder of a registered version. Raises: WeightsUnavailable, TrackingUnavailable."""
    from vultus.errors import WeightsUnavailable
    from vultus.registry import registry_from

    registry = registry_from(settings.tracking, settings.paths)
    version = registry.resolve(uri)
    if version is None:
        raise WeightsUnavailable(f"{uri}: no such version; see `vultus models`")
    return registry.fetch(version, settings.paths.models)


def _row(settings: "Settings", name: str) -> dict[str, Any]:
    """Raises: BadParameter, for a name nobody knows."""
    from vultus.baselines import deepface
    from vultus.contracts.words import Evidence
    from vultus.weights import available, entry

    folder = settings.paths.weights
    if name == deepface.NAME:
        place = deepface.converted_fasnet(folder)
        facts: dict[str, Any] = {
            "title": "PAD networks of DeepFace (MiniFASNetV2 and V1SE), as one",
            "route": "deepface",
            "source": "DeepFace's own cache, or by URL",
            "licence": deepface.LICENCE,
            "training_data": deepface.TRAINING_DATA,
            "archive_sha256": " ".join(deepface.PUBLISHED.values()),
            "evidence": Evidence.REAL.value,
            "hash": "of both files",
            "bytes": None,
        }
    else:
        row, place = entry(name, folder), available(name, folder)
        kept = {"title", "route", "licence", "training_data", "archive_sha256", "evidence"}
        facts = row.model_dump(include=kept, mode="json") | {"source": row.source}
        facts |= {"hash": _hash(row), "bytes": row.bytes or None}
    if place is not None and place.is_file():
        facts["bytes"] = place.stat().st_size
    state = "not here" if place is None else "verified"
    return {"name": name, **facts, "state": state, "path": None if place is None else str(place)}


def _hash(row: "Entry") -> str:
    if row.archive_sha256:
        return row.archive_sha256[:10]
    return f"{row.sha256_prefix} (no more published)" if row.sha256_prefix else "pip's"
