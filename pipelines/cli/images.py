"""`vultus images`: the container images that a run in Docker or in a cluster needs."""

import time
from pathlib import Path
from typing import Annotated

import typer


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(images)


def images(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="images or groups of infra/images/docker-bake.json; default: all"),
    ] = None,
    base: Annotated[
        str, typer.Option(help="a Python 3.11 image to stand on")
    ] = "python:3.11-slim-bookworm",
    wheels: Annotated[
        Path | None, typer.Option(help="folder of wheels, used instead of a package index")
    ] = None,
    pip_conf: Annotated[
        Path | None, typer.Option(help="pip.conf that only the build sees; ca: /run/build-ca.crt")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="certificates that only the build sees")] = None,
) -> None:
    """Build images into the Docker daemon, tagged with the hash of these sources and as `dev`."""
    from pipelines.docker import connect
    from pipelines.images import Supply, build

    connect().close()
    start = time.monotonic()
    supply = Supply(base=base, wheels=wheels, pip=pip_conf, ca=ca)
    for tag in build(names or ["default"], supply, said=lambda line: typer.echo(f"== {line}")):
        typer.echo(tag)
    typer.echo(f"{time.monotonic() - start:.0f} s in all; next: vultus run --on docker")
