"""Joins the command groups; reads the settings once and hands them down."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from vultus.errors import VultusError

_GROUPS = (
    "run",
    "models",
    "verdict",
    "answer",
    "score",
    "weights",
    "serve",
    "gallery",
    "monitor",
    "data",
    "report",
    "images",
    "compare",
)


class _Commands(TyperGroup):
    """Turns an expected failure into one sentence and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except VultusError as error:
            typer.secho(f"{type(error).__name__}: {error}", fg=typer.colors.RED, err=True)
            sys.exit(1)


app = typer.Typer(
    name="vultus",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Face authentication that one can train, trust and run.",
)


@app.callback()
def settings_of(ctx: typer.Context) -> None:
    """Face authentication that one can train, trust and run."""
    from pydantic import ValidationError

    from vultus.settings import Settings

    try:
        ctx.obj = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "VULTUS_" + "__".join(str(part).upper() for part in first["loc"])
        typer.secho(f"{name}: {first['msg']}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error


for _group in _GROUPS:
    import_module(f"pipelines.cli.{_group}").attach(app)
