"""Runs a compiled pipeline here: kfp.local, one subprocess (or one container) a step, cached."""

import contextlib
import logging
import os
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from components.environment import environment as inherited
from pipelines.docker import DockerUnavailable, docker_runner, honest_exit_codes
from pipelines.params import STEPS
from pipelines.placement import CHECKOUT
from pipelines.steplog import Step, StepLog
from vultus.contracts.home import Home
from vultus.errors import VultusError

Runner = Literal["laptop", "docker"]


class StepFailed(VultusError):
    """A step of a local run ended with an error."""


@dataclass
class LocalRun:
    """One run of one pipeline. `steps` can be watched while it goes on."""

    home: Home
    name: str
    steps: dict[str, Step] = field(default_factory=lambda: {step: Step(step) for step in STEPS})
    outputs: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def log_file(self) -> Path:
        """Everything that kfp and the steps printed."""
        return self.home.reports / self.name / "run.log"

    def execute(
        self,
        ir: Path,
        arguments: dict[str, Any],
        *,
        environment: dict[str, str],
        changed: Callable[[], None] = lambda: None,
        runner: Runner = "laptop",
    ) -> None:
        """Run the compiled pipeline `ir` to its end.

        Args:
            ir: KFP IR YAML, as `vultus compile` writes it.
            arguments: pipeline parameters.
            environment: settings of the steps (VULTUS_...).
            changed: called when a step's state moved.
            runner: subprocesses, or the steps' own images in a Docker daemon.
        Raises: StepFailed, with the step's own message; finished steps stay in the cache.
        """
        from kfp import components, local

        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.home.runs, self.home.cache):
            folder.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        with self.log_file.open("a") as file:
            log = StepLog(self.steps, file, changed)
            with (
                contextlib.redirect_stdout(log),
                warnings.catch_warnings(),
                _logging_to(log),
                _environment(environment),
                honest_exit_codes() if runner == "docker" else contextlib.nullcontext(),
            ):
                local.init(
                    runner=docker_runner(self.home, environment, arguments.get("source"))
                    if runner == "docker"
                    else local.SubprocessRunner(use_venv=False),
                    pipeline_root=str(self.home.runs),
                    enable_caching=True,
                    cache_root=str(self.home.cache),
                )
                warnings.simplefilter("ignore")  # of what a laptop ignores: resources, image names
                try:
                    task = components.load_component_from_file(str(ir))(**arguments)
                except (RuntimeError, OSError, DockerUnavailable) as error:
                    raise StepFailed(self._why(log, error)) from error
                finally:
                    self.seconds = time.monotonic() - start
        self.outputs = dict(task.outputs)

    def _why(self, log: StepLog, error: Exception) -> str:
        failed = next((s.name for s in self.steps.values() if s.status == "failed"), None)
        running = next((s.name for s in self.steps.values() if s.status == "running"), None)
        step = failed or running or "the pipeline"
        reason = "\n  ".join(log.error) or str(error)
        return (
            f"{step} failed: {reason}\n  whole log: {self.log_file}\n"
            "  what was finished is kept: the same command goes on from here"
        )


def _environment(changes: dict[str, str]) -> AbstractContextManager[None]:
    """What subprocesses inherit: the settings, and where the sources lie."""
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return inherited({**changes, "PYTHONPATH": path})


@contextlib.contextmanager
def _logging_to(log: StepLog) -> Any:
    """Let kfp's own log lines, which say what came from the cache, reach the step log."""
    root = logging.getLogger()
    handler = logging.StreamHandler(log)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
