"""`vultus run`, `compile`, `step`: from faces to a promoted, served and watched model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vultus.contracts.words import Task

if TYPE_CHECKING:
    from vultus.settings import Settings

_SET = typer.Option("--set", help="step.name=value, source=… or seed=…; may be repeated")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(run)
    app.command("compile")(compile_command)
    app.command()(step)


def run(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(help="recognition, liveness or all")] = "all",
    params: Annotated[
        Path | None, typer.Option(help="YAML: source, seed, one block a step")
    ] = None,
    change: Annotated[list[str] | None, _SET] = None,
    on: Annotated[str, typer.Option(help="laptop, docker or kubeflow")] = "laptop",
    host: Annotated[str | None, typer.Option(help="Kubeflow Pipelines endpoint")] = None,
) -> None:
    """Ingest, crop, validate, train, evaluate, export, register and promote; what is done is kept."""
    from pipelines.params import read_params

    settings: Settings = ctx.obj
    tasks = _tasks(which)
    given = read_params(params, change or [])
    if on == "kubeflow":
        from pipelines.submit import submit

        for task in tasks:
            typer.echo(submit(task, given, host=host))
        return
    from pipelines.cli.screen import run_on_screen

    if on == "laptop":
        run_on_screen(settings, tasks, given, runner="laptop")
    elif on == "docker":
        run_on_screen(settings, tasks, given, runner="docker")
    else:
        raise typer.BadParameter(f"'{on}': choose laptop, docker or kubeflow", param_hint="--on")


def compile_command(
    out: Annotated[Path, typer.Option(help="folder for the YAML files")] = Path("build/pipelines"),
) -> None:
    """Write the pipelines as KFP IR YAML, the very files that `run` executes."""
    from pipelines.compilation import compile_pipelines

    for task, file in compile_pipelines(out).items():
        typer.echo(f"{task.value}: {file}")


def step(
    ctx: typer.Context,
    verb: Annotated[str, typer.Argument(help="ingest, crop, validate, train, …")],
    inputs: Annotated[list[str] | None, typer.Option("--in", help="NAME=FOLDER")] = None,
    outputs: Annotated[list[str] | None, typer.Option("--out", help="NAME=FOLDER")] = None,
    params: Annotated[Path | None, typer.Option(help="YAML with the step's params")] = None,
    change: Annotated[list[str] | None, _SET] = None,
) -> None:
    """Run one step alone on folders, as its KFP task would."""
    from pipelines.single import run_step

    settings: Settings = ctx.obj
    ran = run_step(settings, verb, inputs or [], outputs or [], params, change or [])
    typer.echo(f"{verb}: {ran.answer or 'done'}")
    if ran.answer == "refused":
        raise typer.Exit(1)


def _tasks(which: str) -> list[Task]:
    if which == "all":
        return [Task.RECOGNITION, Task.LIVENESS]
    if which not in list(Task):
        raise typer.BadParameter(f"'{which}': choose recognition, liveness or all")
    return [Task(which)]
