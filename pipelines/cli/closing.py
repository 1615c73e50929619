"""The one screen that `vultus run` ends with: figures, versions, where to read, what to type next."""

import os
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.local import LocalRun
from pipelines.served import Served
from vultus.contracts.evaluation import EvaluationReport, Figure
from vultus.contracts.words import Task

Ran = tuple[Task, str, LocalRun]
_NEXT = (
    ("vultus verify A.jpg B.jpg", "are these two pictures one person?"),
    ("vultus serve", "the same as a server, with a page for the webcam"),
    ("vultus models", "versions, aliases, why the gate refused"),
    ("vultus compare", "every model there is, side by side: accuracy, cost, licence"),
    ("vultus ui", "MLflow: runs, metrics, models"),
)


def closing(runs: list[Ran], served: Served | None, seconds: float) -> RenderableType:
    """Everything a newcomer wants to see at the end.

    Args:
        runs: task, title and the finished run.
        served: what KServe answered, None where nothing was promoted.
        seconds: wall time of all of it.
    """
    figures = Table(
        "figure", "value", "95 % interval", "n", "model", title="Test split", title_justify="left"
    )
    versions = Table("run", "version", "gate", "done", "kept", title="Models", title_justify="left")
    places: list[RenderableType] = [Text("To read", "bold")]
    for _, title, run in runs:
        version = _version(run)
        for figure in EvaluationReport.open(Path(run.outputs["evaluation"].path)).figures:
            if figure.slice == "all":
                figures.add_row(*_row(figure), version)
        done = sum(step.status == "done" for step in run.steps.values())
        kept = sum(step.status == "cached" for step in run.steps.values())
        versions.add_row(title, version, str(run.outputs["decision"]), str(done), str(kept))
        folder = os.path.relpath(run.log_file.parent)
        places.append(
            Text(f"  {folder}/  report.html · report.pdf · data.html · data_docs/ · run.log")
        )
    following = [Text("Next", "bold"), *(Text(f"  {line:<28}{why}") for line, why in _NEXT)]
    end = Text(f"{seconds:.0f} s in all", "dim")
    return Group(figures, versions, *_answers(served), *places, *following, end)


def _answers(served: Served | None) -> list[RenderableType]:
    if served is None:
        return []
    table = Table("request", "of", "answers", "ms", title="Served by KServe", title_justify="left")
    for asked in served.asked:
        answers = ", ".join(f"{name} {count}" for name, count in asked.answers.items())
        speed = "–" if asked.median_ms is None else f"{asked.median_ms:.0f}"
        table.add_row(asked.operation, asked.what, answers or "none", speed)
    page = os.path.relpath(served.drift_page)
    return [table, Text(f"Drift: {served.drift_answer}"), Text(f"  {page}")]


def _version(run: LocalRun) -> str:
    metadata: dict[str, Any] = run.outputs["version"].metadata
    return f"{metadata.get('name')}/{int(metadata.get('version', 0))}"


def _row(figure: Figure) -> tuple[str, str, str, str]:
    value = "–" if figure.value is None else f"{figure.value:.4f}"
    known = figure.low is not None and figure.high is not None
    interval = f"{figure.low:.4f} – {figure.high:.4f}" if known else "–"
    return figure.name, value, interval, str(figure.n)
