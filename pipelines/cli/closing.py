"""The one screen that `vultus run` ends with: figures, versions, where to read, what to type next."""

import os
import re
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
_SHOWN = {
    Task.RECOGNITION: re.compile(r"eer|fnmr_at_fmr_.*|realised_fmr_.*|rank_1_miss|fta"),
    Task.LIVENESS: re.compile("pad_auc|pad_eer|apcer|bpcer|iapar"),
}
"""What fits a screen; the reports have all figures."""
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
    versions = Table("run", "version", "gate", "done", "kept", title="Models", title_justify="left")
    warnings: list[RenderableType] = []
    places: list[RenderableType] = [Text("To read", "bold")]
    for _, title, run in runs:
        version = _version(run)
        done = sum(step.status == "done" for step in run.steps.values())
        kept = sum(step.status == "cached" for step in run.steps.values())
        versions.add_row(title, version, str(run.outputs["decision"]), str(done), str(kept))
        warnings += (
            Text(f"  {step.name}: {said}", "yellow")
            for step in run.steps.values()
            for said in step.warnings
        )
        folder = os.path.relpath(run.log_file.parent)
        places.append(
            Text(f"  {folder}/  report.html · report.pdf · data.html · data_docs/ · run.log")
        )
    following = [Text("Next", "bold"), *(Text(f"  {line:<28}{why}") for line, why in _NEXT)]
    end = Text(f"{seconds:.0f} s in all", "dim")
    figures = [_figures(task, runs) for task in dict.fromkeys(task for task, _, _ in runs)]
    if warnings:
        warnings.insert(0, Text("Warnings", "bold"))
    return Group(*figures, versions, *warnings, *_answers(served), *places, *following, end)


def _figures(task: Task, runs: list[Ran]) -> Table:
    """The test split in few figures, a column a version: value and interval."""
    table = Table("95 % intervals", title=f"Test split, {task}", title_justify="left")
    columns: list[dict[str, Figure]] = []
    for _, _, run in (one for one in runs if one[0] is task):
        table.add_column(_version(run))
        report = EvaluationReport.open(Path(run.outputs["evaluation"].path))
        columns.append({one.name: one for one in report.figures if one.slice == "all"})
    table.add_column("n", justify="right")
    shown = (name for column in columns for name in column if _SHOWN[task].fullmatch(name))
    for name in dict.fromkeys(shown):
        found = [column.get(name) for column in columns]
        trials = dict.fromkeys(f"{one.n}" for one in found if one is not None)
        table.add_row(name, *(_cell(one) for one in found), " / ".join(trials))
    return table


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


def _cell(figure: Figure | None) -> str:
    if figure is None or figure.value is None:
        return "–"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.4f}"
    return f"{figure.value:.4f} [{figure.low:.4f}, {figure.high:.4f}]"
