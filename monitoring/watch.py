"""One monitoring pass: read, compare, decide, write, tell."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from monitoring.advice import advice, outcome
from monitoring.alerts import Alert, Channel, deliver, unsent
from monitoring.examination import Examination, examine_home
from monitoring.exposition import write_metrics
from monitoring.history import PastPass, append_history, read_history
from monitoring.page import drift_page
from monitoring.params import MonitorParams
from monitoring.policy import Decision, decide
from monitoring.retrain import RetrainingFailed, Trigger
from monitoring.supply import supply_of
from vultus.contracts.home import Home
from vultus.contracts.traffic import DriftReport

logger = logging.getLogger(__name__)

METRICS_FILE = "vultus_monitor.prom"


@dataclass(frozen=True)
class Pass:
    """What a pass found and did. failures: a sentence for each thing that could not be done."""

    examination: Examination
    report: DriftReport
    decision: Decision
    steps: Sequence[str]
    folder: Path
    files: Sequence[Path]
    started: Sequence[str]
    failures: Sequence[str]


def watch(
    home: Home,
    params: MonitorParams,
    *,
    now: datetime,
    channels: Sequence[Channel] = (),
    trigger: Trigger | None = None,
    agree: Callable[[Decision], bool] = lambda _: True,
) -> Pass:
    """Make one pass over the traffic of `home` and write `reports/<time>-monitor/`.

    Args:
        now: end of the window, aware.
        channels: who is told; none is fine.
        trigger: starts a training where the policy says so; None: it is only said.
        agree: asked before a training starts.
    Raises: BadArtifact, StorageUnavailable: the pass could not be made.
    """
    found = examine_home(home, params, now=now)
    report = found.report()
    decision = decide(
        report, read_history(home), supply_of(params.retrain_source, home), params, now=now
    )
    steps = advice(found, report)
    folder = _folder(home, now)
    files = _write(folder, found, report, drift_page(found, report, decision, steps))
    alerts = _alerts(found, report, decision, steps, folder, now)
    failures = deliver(alerts, channels, folder)
    willing = trigger is not None and decision.action == "retrain" and agree(decision)
    started, refused = _retrain(decision, params, trigger if willing else None, report)
    _remember(home, report, decision, folder, now, trained=bool(started))
    write_metrics(
        home.features / "history" / METRICS_FILE,
        report,
        decision,
        found.attacks,
        skipped=len(found.window.skipped),
        unsent=unsent(home.reports),
        now=now,
    )
    logger.info("monitoring pass", extra={"status": report.status, "action": decision.action})
    return Pass(found, report, decision, steps, folder, files, started, [*failures, *refused])


def _alerts(
    found: Examination,
    report: DriftReport,
    decision: Decision,
    steps: Sequence[str],
    folder: Path,
    now: datetime,
) -> list[Alert]:
    """An alert or retraining is told; so is the end of an open alert."""
    if decision.action == "keep" and not decision.cleared:
        return []
    valid = timedelta(hours=0 if decision.cleared else found.params.alert_cooldown_h + 1)
    text = f"{outcome(decision)} {' '.join(steps)}"
    names = ["VultusAttacks"] if found.attacks.alarming else []
    if decision.cleared:
        names = ["VultusAttacks", "VultusDrift"]
    elif any(key != "attacks" for key in decision.keys):
        names.append("VultusDrift")
    return [
        Alert(
            name=name,
            severity="critical" if name == "VultusAttacks" else "warning",
            summary=report.answer,
            description=text,
            page=str(folder / "drift.html"),
            starts_at=now,
            ends_at=now + valid,
        )
        for name in names
    ]


def _retrain(
    decision: Decision,
    params: MonitorParams,
    trigger: Trigger | None,
    report: DriftReport,
) -> tuple[list[str], list[str]]:
    """Where trainings can be watched, and what could not be started."""
    if trigger is None or params.retrain_source is None:
        return [], []
    started, refused = [], []
    for task in decision.tasks:
        try:
            started.append(trigger.start(task, params.retrain_source, report.answer))
        except RetrainingFailed as error:
            logger.error("retraining failed", extra={"task": task.value, "why": str(error)})
            refused.append(str(error))
    return started, refused


def _remember(
    home: Home,
    report: DriftReport,
    decision: Decision,
    folder: Path,
    now: datetime,
    *,
    trained: bool,
) -> None:
    append_history(
        home,
        PastPass(
            at=now,
            window_start=report.window_start,
            window_end=report.window_end,
            rows=report.rows,
            reference=report.reference,
            status=report.status,
            keys=decision.keys,
            action=decision.action,
            alerting=decision.alerting,
            tasks=decision.tasks if trained else (),
            answer=report.answer,
            folder=str(folder),
        ),
    )


def _write(folder: Path, found: Examination, report: DriftReport, page: str) -> list[Path]:
    files = [folder / "drift.html", folder / "drift.json"]
    files[0].write_text(page)
    files[1].write_text(report.model_dump_json(indent=2))
    if found.evidently is not None:
        files.append(folder / "evidently.html")
        found.evidently.save_html(files[2])
    return files


def _folder(home: Home, now: datetime) -> Path:
    """`reports/<time>-monitor`, never one that is there already."""
    name = f"{now:%Y%m%d-%H%M%S}"
    for number in range(1000):
        folder = home.reports / (f"{name}-monitor" if not number else f"{name}.{number}-monitor")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"{home.reports} has a thousand reports of this second")
