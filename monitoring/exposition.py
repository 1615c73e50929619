"""Prometheus metrics of a pass, as text: for node_exporter's textfile collector or any scraper.

No push gateway: the file is replaced in one rename, and its time stamp metric tells a dead watchdog.
"""

from datetime import datetime
from pathlib import Path

from monitoring.policy import Decision
from monitoring.security import AttackReport
from vultus.contracts.traffic import DriftReport


def write_metrics(
    file: Path,
    report: DriftReport,
    decision: Decision,
    attacks: AttackReport,
    *,
    skipped: int,
    unsent: int,
    now: datetime,
) -> None:
    """Replace the file by the state after this pass."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=registry)

    gauge("vultus_monitor_last_pass_timestamp_seconds", "End of the last pass").set(now.timestamp())
    gauge("vultus_monitor_window_rows", "Requests in the current window").set(report.rows)
    gauge("vultus_monitor_skipped_files", "Feature files that could not be read").set(skipped)
    gauge("vultus_monitor_unsent_alerts", "Alert files no receiver has taken").set(unsent)
    gauge("vultus_monitor_alerting", "1 while an alert is open").set(decision.alerting)
    status = gauge("vultus_monitor_status", "1 for the status of the last pass", ("status",))
    for word in ("ok", "drift", "not_enough_data"):
        status.labels(word).set(report.status == word)
    action = gauge("vultus_monitor_action", "1 for what the last pass did", ("action",))
    for word in ("keep", "alert", "retrain"):
        action.labels(word).set(decision.action == word)
    statistic = gauge("vultus_drift_statistic", "Statistic of a test", ("test", "slice"))
    drifted = gauge("vultus_drift_detected", "1 where a test drifted", ("test", "slice"))
    for test in report.tests:
        statistic.labels(test.name, test.slice).set(test.statistic)
        drifted.labels(test.name, test.slice).set(test.drifted)
    if attacks.share is not None:
        share = gauge("vultus_attack_share", "Share of faces taken for attacks", ("bound",))
        share.labels("value").set(attacks.share.value)
        share.labels("low").set(attacks.share.low)
        share.labels("high").set(attacks.share.high)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_to_textfile(str(file), registry)
