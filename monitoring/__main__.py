"""What the CronJob runs: one monitoring pass. Exit code 0: made, whatever it found; 1: not made.

python -m monitoring [--params FILE.yaml] [--set name=value] [--retrain auto|never]
"""

import argparse
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from monitoring.alerts import channels_of
from monitoring.params import read_monitor_params
from monitoring.retrain import KubeflowTrigger, Trigger
from monitoring.watch import Pass, watch
from vultus.errors import VultusError
from vultus.settings import Settings

logger = logging.getLogger("monitoring")


def main(arguments: list[str] | None = None) -> int:
    """Read settings and parameters, make the pass, say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m monitoring", description=__doc__)
    parser.add_argument("--params", type=Path, help="YAML file of MonitorParams")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--retrain", choices=("auto", "never"), default="auto")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings()
        params = read_monitor_params(given.params, given.set)
        host = settings.monitoring.kubeflow
        trigger: Trigger | None = None
        if given.retrain == "auto" and host is not None:
            trigger = KubeflowTrigger(host)
        done = watch(
            settings.paths,
            params,
            now=datetime.now(UTC),
            channels=channels_of(
                alertmanager=settings.monitoring.alertmanager, webhook=settings.monitoring.webhook
            ),
            trigger=trigger,
        )
    except (VultusError, ValidationError, OSError):
        logger.exception("the monitoring pass could not be made")
        return 1
    _say(done)
    return 0


def _say(done: Pass) -> None:
    logger.info("%s: %s", done.report.status, done.report.answer)
    logger.info("%s: %s", done.decision.action, done.decision.reason)
    logger.info("report: %s", done.files[0])
    for started in done.started:
        logger.info("retraining: %s", started)
    for failure in done.failures:
        logger.error("%s", failure)


if __name__ == "__main__":
    sys.exit(main())
