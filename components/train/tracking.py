"""MLflow beside a training, never in its way: what cannot be logged is a warning."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from vultus.contracts.seams import TrackedRun, Tracker
from vultus.errors import TrackingUnavailable

logger = logging.getLogger(__name__)
_RUN_ID = "run_id.txt"


class Log:
    """One run, or nothing where there is no tracker or it stopped answering."""

    def __init__(self, run: TrackedRun | None) -> None:
        self._run = run
        self.run_id = run.run_id if run else ""

    def params(self, params: Mapping[str, object]) -> None:
        """What is computed."""
        if self._run:
            with self._forgiving():
                self._run.log_params(params)

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Numbers of one epoch."""
        self.metrics(metrics, number)

    def metrics(self, metrics: Mapping[str, float], step: int) -> None:
        """Numbers at a step."""
        if self._run and metrics:
            with self._forgiving():
                self._run.log_metrics(metrics, step)

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except TrackingUnavailable as error:
            logger.warning("tracking stopped, training goes on", extra={"why": str(error)})
            self._run = None


@contextmanager
def tracked(tracker: Tracker | None, experiment: str, name: str, kept: Path) -> Iterator[Log]:
    """Open the run of this training; after a resume the one it already has.

    Args: kept: folder of the resume state, where the run's id is remembered.
    """
    with ExitStack() as stack:
        run = None
        if tracker is not None:
            try:
                run = stack.enter_context(tracker.run(experiment, name, run_id=_remembered(kept)))
                kept.mkdir(parents=True, exist_ok=True)
                (kept / _RUN_ID).write_text(run.run_id)
            except TrackingUnavailable as error:
                logger.warning("training without tracking", extra={"why": str(error)})
        yield Log(run)


def _remembered(kept: Path) -> str | None:
    try:
        return (kept / _RUN_ID).read_text().strip() or None
    except OSError:
        return None
