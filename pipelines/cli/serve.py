"""`vultus serve`: the KServe server with the promoted models, in this process."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vultus.settings import Settings


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(serve)


def serve(
    ctx: typer.Context,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="default: VULTUS_SERVING__PORT; 0: a free one"),
    ] = None,
) -> None:
    """Answer over HTTP until Ctrl-C; prints the API key, a curl line and the address of the page."""
    from serving.__main__ import serve as serve_until_stopped

    settings: Settings = ctx.obj
    serve_until_stopped(settings, port=settings.serving.port if port is None else port)
