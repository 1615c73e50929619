"""What a person sees while `vultus run` works, and the one screen it ends with."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipelines.cli.closing import Ran, closing
from pipelines.compilation import NAMES, compile_pipelines
from pipelines.documents import collect
from pipelines.local import LocalRun, Runner
from pipelines.params import STEPS, check_params
from pipelines.placement import CHECKOUT
from pipelines.served import Served, champions_of, serve_once
from pipelines.source import git_commit
from vultus.contracts.home import Home
from vultus.contracts.words import RECOGNITION_MODEL, Task
from vultus.registry import MlflowServer
from vultus.settings import Settings
from vultus.signing import ChampionPointer

_SPEAK_EVERY_S = 10.0
_MARKS = {
    "waiting": ("·", "dim"),
    "running": ("▸", "cyan"),
    "done": ("✓", "green"),
    "cached": ("=", "blue"),
    "failed": ("✗", "red"),
}


def run_on_screen(
    settings: Settings, tasks: list[Task], params: dict[str, Any], *, runner: Runner
) -> None:
    """Run the tasks one after the other, with MLflow beside them.

    Raises: BadParameter before anything is computed; StepFailed.
    """
    for task in tasks:
        check_params(task, params)
    if runner == "docker":
        from pipelines.docker import require_images

        require_images(STEPS)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server outlives us
    start = time.monotonic()
    home = settings.paths
    console = Console()
    compiled = compile_pipelines(home.root / "pipelines")
    server = MlflowServer(home) if settings.tracking.uri is None else None
    if server is not None:
        server.start()  # it needs seconds; ingest does not need it yet
    runs: list[Ran] = []
    try:
        environment = _environment(settings, server)
        view = _View(console)
        for task, title, arguments in _plan(settings, tasks, params):
            if server is not None and task is tasks[0] and not runs:
                server.wait()
            run = LocalRun(home, f"{time.strftime('%Y%m%d-%H%M%S')}-{NAMES[task]}")
            with view.watching(title, run):
                run.execute(
                    compiled[task],
                    _beside(settings.paths, task, arguments),
                    environment=environment,
                    changed=view.refresh,
                    runner=runner,
                )
            runs.append((task, title, run))
            collect(run)
    finally:
        if server is not None:
            server.stop()
    served = _served(settings, runs, console)
    console.print(closing(runs, served, time.monotonic() - start))


def _served(settings: Settings, runs: list[Ran], console: Console) -> Served | None:
    """Ask the promoted models over HTTP, unless this very pair was asked before."""
    from serving.secrets import api_key
    from vultus.storage import store_from

    home = settings.paths
    models = champions_of(home)
    known = Served.read(home)
    if not any(name.startswith(RECOGNITION_MODEL) for name in models):
        return None
    if known is not None and known.models == models:
        return known
    crops = Path(runs[0][2].outputs["crops"].path)
    with console.status("serving") as status:
        return serve_once(
            home,
            crops,
            store_from(settings.storage, home),
            api_key(settings),
            said=lambda what: status.update(f"serving: {what}"),
        )


def _plan(
    settings: Settings, tasks: list[Task], params: dict[str, Any]
) -> list[tuple[Task, str, dict[str, Any]]]:
    """The runs to make. Without a recogniser the untouched packaged trunk is the first champion."""
    plan: list[tuple[Task, str, dict[str, Any]]] = []
    for task in tasks:
        if (
            task is Task.RECOGNITION
            and ChampionPointer.read(settings.paths, RECOGNITION_MODEL) is None
        ):
            untouched = {**params, "train": {**params.get("train", {}), "epochs": 0}}
            plan.append((task, "recognition: the packaged trunk, unchanged", untouched))
        plan.append((task, task.value, params))
    return plan


def _beside(home: Home, task: Task, arguments: dict[str, Any]) -> dict[str, Any]:
    """PAD is judged together with the champion recogniser, by its number: an alias would move under
    the cache. Whoever names another one, or null, keeps that."""
    given = arguments.get("evaluate", {})
    champion = ChampionPointer.read(home, RECOGNITION_MODEL)
    if task is not Task.LIVENESS or champion is None or "recogniser" in given:
        return arguments
    uri = f"models:/{RECOGNITION_MODEL}/{champion.version}"
    return {**arguments, "evaluate": {**given, "recogniser": uri}}


def _environment(settings: Settings, server: MlflowServer | None) -> dict[str, str]:
    """Settings that the steps' processes read."""
    environment = {
        "VULTUS_HOME": str(settings.paths.root),
        "VULTUS_GIT_COMMIT": git_commit(CHECKOUT),
    }
    if server is not None:
        environment["VULTUS_TRACKING__URI"] = server.uri
    environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # noqa: PTH120
    return environment


class _View:
    """A table of steps that is drawn again whenever one moves; plain lines where there is no tty."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._run: LocalRun | None = None
        self._title = ""
        self._live: Live | None = None
        self._said: dict[str, str] = {}
        self._warned: dict[str, int] = {}
        self._spoke = 0.0

    def watching(self, title: str, run: LocalRun) -> "_View":
        """Show this run from now on."""
        self._run, self._title, self._said, self._warned = run, title, {}, {}
        return self

    def __enter__(self) -> "_View":
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._table, refresh_per_second=4
            )
            self._live.start()
        else:
            self._console.print(self._title)
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def refresh(self) -> None:
        """A step moved."""
        if self._live is not None or self._run is None:
            return
        for step in self._run.steps.values():
            for warning in step.warnings[self._warned.get(step.name, 0) :]:
                self._say(f"  {step.name:<9} WARNING {warning}")
            self._warned[step.name] = len(step.warnings)
            ended = step.status not in ("waiting", "running")
            if ended and self._said.get(step.name) != step.status:
                self._said[step.name] = step.status
                kept = "not done again" if step.status == "cached" else f"{step.seconds:6.1f} s"
                self._say(f"  {step.name:<9} {step.status:<6} {kept}")
            elif step.status == "running" and time.monotonic() - self._spoke > _SPEAK_EVERY_S:
                self._say(f"  {step.name:<9} {step.detail or step.status}")

    def _say(self, line: str) -> None:
        """To the terminal itself: stdout belongs to the step log meanwhile."""
        self._spoke = time.monotonic()
        print(line, file=sys.__stdout__, flush=True)

    def _table(self) -> RenderableType:
        table = Table(title=self._title, show_header=False, box=None, title_justify="left")
        now = time.monotonic()
        for step in self._run.steps.values() if self._run else ():
            mark, style = _MARKS[step.status]
            seconds = now - step.started if step.status == "running" else step.seconds
            shown = "" if step.status in ("waiting", "cached") else f"{seconds:.0f} s"
            note = "not done again" if step.status == "cached" else step.detail
            table.add_row(Text(mark, style), Text(step.name, style), shown, Text(note, "dim"))
            for warning in step.warnings:
                table.add_row("", "", Text("!", "yellow"), Text(warning, "yellow"))
        return table
