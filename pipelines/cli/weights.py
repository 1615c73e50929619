"""`vultus weights list | fetch`: the pretrained files, their licences, and whether they are here."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from vultus.settings import Settings

_JSON = typer.Option("--json", help="machine-readable")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Pretrained files: list them, fetch them.",
    )
    group.command("list")(list_weights)
    group.command()(fetch)
    app.add_typer(group, name="weights")


def list_weights(ctx: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """Every pretrained file: where from, licence, trained on what, sha256, and its state here."""
    from rich.console import Console
    from rich.table import Table

    settings: Settings = ctx.obj
    rows = [_row(settings, name) for name in _names()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "package", "licence", "sha256", "state")
    for row in rows:
        digest = row["archive_sha256"][:10] or "pip's"
        table.add_row(row["name"], row["package"], row["licence"], digest, row["state"])
    console = Console()
    console.print(table)
    for row in rows:
        console.print(f"{row['name']}: {row['title']}; trained on: {row['training_data']}")


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
    chosen = [name for name in names or _names() if _row(settings, name)]
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


def _names() -> list[str]:
    from vultus.baselines.deepface import NAME
    from vultus.weights import entries

    return [*entries(), NAME]


def _locate(settings: Settings, name: str) -> Path:
    """Raises: WeightsUnavailable."""
    from vultus.baselines.deepface import NAME, locate_fasnet
    from vultus.weights import locate

    folder = settings.paths.weights
    return locate_fasnet(folder) if name == NAME else locate(name, folder)


def _row(settings: Settings, name: str) -> dict[str, Any]:
    """Raises: BadParameter, for a name nobody knows."""
    from vultus.baselines import deepface
    from vultus.weights import available, entry

    folder = settings.paths.weights
    if name == deepface.NAME:
        place = deepface.converted_fasnet(folder)
        facts = {
            "title": "PAD networks of DeepFace (MiniFASNetV2 and V1SE)",
            "package": "DeepFace's own cache",
            "licence": deepface.LICENCE,
            "training_data": deepface.TRAINING_DATA,
            "archive_sha256": " ".join(deepface.PUBLISHED.values()),
        }
    else:
        row, place = entry(name), available(name, folder)
        facts = row.model_dump(
            include={"title", "package", "licence", "training_data", "archive_sha256"}
        )
    state = "not here" if place is None else "verified"
    return {"name": name, **facts, "state": state, "path": None if place is None else str(place)}
