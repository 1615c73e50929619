"""MLflow beside a training, never in its way: what cannot be logged is a warning."""

import json
import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vultus.contracts.seams import TrackedRun, Tracker
from vultus.errors import TrackingUnavailable

if TYPE_CHECKING:
    from torch import nn


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

    def environment(self, facts: Mapping[str, object]) -> None:
        """Versions and processor, with `facts`, as `environment.json`: a resumed run may have another.

        The versions are params too, by which runs are found.
        """
        if self._run:
            from components.train.environment import environment

            found = {**environment(), **facts}
            self.params({f"environment.{name}": value for name, value in found.items()})
            self._attach({"environment.json": json.dumps(found, indent=2).encode()}, "")

    def look(self, lesson: object) -> "Callable[[int, nn.Module], None]":
        """For `fit(look=…)`: after every epoch the lesson's worst errors and its confusion.

        Lessons that can show neither (`components.train.errors`) are looked at for nothing.
        """
        from components.train.errors import pages

        def attach(epoch: int, network: "nn.Module") -> None:
            if self._run:
                self._attach(pages(lesson, network), f"epochs/{epoch:03d}")

        return attach

    def _attach(self, files: Mapping[str, bytes], folder: str) -> None:
        with tempfile.TemporaryDirectory(prefix="vultus-") as place:
            for name, content in files.items():
                file = Path(place) / name
                file.write_bytes(content)
                if self._run:
                    with self._forgiving():
                        self._run.log_file(file, folder)

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
