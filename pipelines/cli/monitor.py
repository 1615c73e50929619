"""`vultus monitor`: what happened at the door, since when, how sure, what to do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from monitoring.params import MonitorParams
    from monitoring.policy import Decision
    from monitoring.watch import Pass
    from vultus.settings import Settings

_SHOWN = 6
_UNITS = {"m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}
_LAST = typer.Option(help="length of the window: 90m, 24h, 7d")
_ROWS = typer.Option(help="the newest N requests instead, whenever they were", min=1)
_RETRAIN = typer.Option(help="where the policy wants it: ask, never or auto")
_SET = typer.Option("--set", help="name=value of a monitoring parameter; may be repeated")
_CONFIRM = typer.Option("--confirm", help="this window is healthy: make it the reference")


def attach(app: typer.Typer) -> None:
    """Add the commands of this group."""
    app.command()(monitor)


def monitor(
    ctx: typer.Context,
    last: Annotated[str | None, _LAST] = None,
    rows: Annotated[int | None, _ROWS] = None,
    as_json: Annotated[bool, typer.Option("--json", help="machine-readable")] = False,
    retrain: Annotated[str, _RETRAIN] = "ask",
    confirm: Annotated[bool, _CONFIRM] = False,
    params: Annotated[Path | None, typer.Option(help="YAML of monitoring parameters")] = None,
    change: Annotated[list[str] | None, _SET] = None,
) -> None:
    """Compare the traffic with what the models were judged on; say what moved and what to do."""
    settings: Settings = ctx.obj
    if retrain not in ("ask", "never", "auto"):
        raise typer.BadParameter(f"'{retrain}': choose ask, never or auto", param_hint="--retrain")
    chosen = _chosen(params, change or [], last, rows)
    if confirm:
        _confirm(settings, chosen, as_json)
        return
    done = _watch(settings, chosen, retrain, as_json)
    if as_json:
        import json

        typer.echo(json.dumps(_record(done), indent=2))
    else:
        _print(done, settings)


def _chosen(
    file: Path | None, changes: list[str], last: str | None, rows: int | None
) -> "MonitorParams":
    from monitoring.params import read_monitor_params

    if last is not None and rows is not None:
        raise typer.BadParameter("give one of --last and --rows", param_hint="--last")
    if last is not None:
        matched = re.fullmatch(r"(\d+(?:\.\d+)?)([mhdw])", last.strip())
        if matched is None or float(matched[1]) == 0:
            raise typer.BadParameter(f"'{last}': write 90m, 24h, 7d or 2w", param_hint="--last")
        changes = [*changes, f"last_h={float(matched[1]) * _UNITS[matched[2]]}", "last_rows=null"]
    if rows is not None:
        changes = [*changes, f"last_rows={rows}"]
    return read_monitor_params(file, changes)


def _confirm(settings: "Settings", params: "MonitorParams", as_json: bool) -> None:
    """Freeze the window."""
    from datetime import UTC, datetime

    from monitoring.champions import champions_of
    from monitoring.reference import freeze
    from monitoring.window import current_window

    now = datetime.now(UTC)
    home = settings.paths
    window = current_window(
        home.features, now=now, last_h=params.last_h, last_rows=params.last_rows
    )
    about = freeze(home, window, champions_of(home), params, now=now)
    if as_json:
        typer.echo(about.model_dump_json(indent=2))
        return
    typer.echo(
        f"{about.rows:,} requests from {about.start:%d %b %H:%M} to {about.end:%d %b %H:%M} UTC are "
        f"the reference from now on ({about.id}), until other models are promoted."
    )


def _watch(settings: "Settings", params: "MonitorParams", retrain: str, as_json: bool) -> "Pass":
    from datetime import UTC, datetime

    from monitoring.alerts import channels_of
    from monitoring.retrain import KubeflowTrigger, LaptopTrigger, Trigger
    from monitoring.watch import watch

    where = settings.monitoring
    trigger: Trigger | None = None
    if retrain != "never":
        # A machine that reads JSON gets JSON alone: the training's own words go to a file.
        log = settings.paths.reports / "retraining.log" if as_json else None
        local = LaptopTrigger(settings.paths.root, log)
        trigger = local if where.kubeflow is None else KubeflowTrigger(where.kubeflow)
    return watch(
        settings.paths,
        params,
        now=datetime.now(UTC),
        channels=channels_of(alertmanager=where.alertmanager, webhook=where.webhook),
        trigger=trigger,
        agree=_asking(as_json) if retrain == "ask" else lambda _: True,
    )


def _asking(as_json: bool) -> Callable[["Decision"], bool]:
    """A question where somebody can answer it, else no."""
    import sys

    def agree(decision: "Decision") -> bool:
        if as_json or not sys.stdin.isatty():
            return False
        return typer.confirm(f"{decision.reason}. Train again now?", default=False)

    return agree


def _record(done: "Pass") -> dict[str, Any]:
    return {
        **done.report.model_dump(mode="json"),
        "decision": done.decision.model_dump(mode="json"),
        "steps": list(done.steps),
        "files": [str(file) for file in done.files],
        "started": list(done.started),
        "failures": list(done.failures),
    }


def _print(done: "Pass", settings: "Settings") -> None:
    from rich.console import Console
    from rich.text import Text

    from monitoring.advice import outcome

    console = Console()
    style = {"ok": "bold green", "drift": "bold red"}.get(done.report.status, "bold yellow")
    console.print(Text(done.report.answer, style))
    if done.report.tests:
        console.print(_table(done))
        console.print(f"{len(done.report.tests)} test rows in all, on the page", style="dim")
    console.print(Text("\n".join(done.steps)))
    console.print(Text(outcome(done.decision), "dim"))
    for started in done.started:
        console.print(Text(f"training: {started}", "green"))
    for failure in done.failures:
        console.print(Text(failure, "red"))
    console.print(Text(f"page: {done.files[0]}"), soft_wrap=True)
    if done.decision.action == "retrain" and not done.started:
        names = " or ".join(f"vultus run {task.value}" for task in done.decision.tasks)
        source = f"--set source={done.report.params['retrain_source']}"
        console.print(Text(f"next: {names} {source}"), soft_wrap=True)
    elif done.report.rows == 0:
        console.print(Text(f"looked in: {settings.paths.features}"), soft_wrap=True)


def _table(done: "Pass") -> "Table":
    """What moved, causes first, each column once; where nothing did, what came closest to it."""
    from rich.table import Table

    from monitoring.sentence import level, ranked, since

    found = done.examination
    table = Table("what", "in", "from → to", "when", "shift (limit)", box=None, header_style="dim")
    shown = ranked(found.findings)
    if not shown and done.report.status == "ok":
        shown = sorted(found.findings, key=lambda one: -one.strength)
    columns = list(dict.fromkeys(one.sample.column for one in shown))
    for column in columns[:_SHOWN]:
        one = next(one for one in shown if one.sample.column == column)
        before, now = one.levels
        table.add_row(
            column.removeprefix("quality_"),
            str(one.sample.stratum),
            f"{level(column, before)} → {level(column, now)}",
            "–" if one.onset is None else since(one.onset, found.window),
            f"{one.statistics.wasserstein:.2f} ({one.limit:.2f})",
        )
    for other in found.permuted:
        if other.drifted:
            test = other.test
            when = "–" if other.onset is None else since(other.onset, found.window)
            shift = f"{test.statistic:.3f} ({test.effect:.3f})"
            what = "population" if test.column == "sketch" else test.category or test.column
            change = "–" if test.column == "sketch" else f"{test.before:.0%} → {test.now:.0%}"
            table.add_row(what, test.operation, change, when, shift)
    return table
