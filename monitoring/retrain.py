"""One seam, two triggers: a registered pipeline of Kubeflow by its name, or `vultus run` here.

The watchdog knows pipelines by name alone; what they do is none of its business.
"""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from vultus.contracts.words import Task
from vultus.errors import VultusError

logger = logging.getLogger(__name__)

PIPELINES = {Task.RECOGNITION: "vultus-recognition", Task.LIVENESS: "vultus-liveness"}
"""Name of the IR, the KFP pipeline and the MLflow experiment."""


class RetrainingFailed(VultusError):
    """A training could not be started, or ended badly."""


class Trigger(Protocol):
    """Starts a training."""

    def start(self, task: Task, source: str, why: str) -> str:
        """Returns where it can be watched. Raises: RetrainingFailed."""


class KubeflowTrigger:
    """A run of the newest version of the pipeline registered under the task's name.

    Args: host: of Kubeflow Pipelines, e.g. http://ml-pipeline.kubeflow:8888.
    """

    def __init__(self, host: str) -> None:
        self._host = host.rstrip("/")

    def start(self, task: Task, source: str, why: str) -> str:
        """Start the run; returns the address of its page."""
        from kfp import Client

        name = PIPELINES[task]
        try:
            client = Client(host=self._host)
            pipeline = client.get_pipeline_id(name)
            if pipeline is None:
                raise RetrainingFailed(
                    f"{self._host} has no pipeline {name}: upload what `vultus compile` writes"
                )
            versions = client.list_pipeline_versions(
                pipeline, page_size=1, sort_by="created_at desc"
            ).pipeline_versions
            if not versions:
                raise RetrainingFailed(f"pipeline {name} at {self._host} has no version")
            run = client.run_pipeline(
                client.create_experiment(name).experiment_id,
                f"{name}: {why}"[:120],
                pipeline_id=pipeline,
                version_id=versions[0].pipeline_version_id,
                params={"source": source},
            )
        except RetrainingFailed:
            raise
        except Exception as error:  # kfp's client raises its server API's and urllib3's errors
            raise RetrainingFailed(f"{self._host} did not start {name}: {error}") from error
        return f"{self._host}/#/runs/details/{run.run_id}"


class LaptopTrigger:
    """`vultus run TASK --set source=…` as a process of its own, waited for.

    Args:
        home: state folder of that run.
        log: file that takes what it prints; None shows it here.
        command: the executable and what precedes its arguments; found beside Python without one.
    """

    def __init__(
        self, home: Path, log: Path | None = None, command: tuple[str, ...] | None = None
    ) -> None:
        self._home = home
        self._log = log
        self._command = command

    def start(self, task: Task, source: str, why: str) -> str:
        """Run to the end; returns where its output lies."""
        command = [*(self._command or _vultus()), "run", task.value, "--set", f"source={source}"]
        logger.info("retraining", extra={"task": task.value, "why": why})
        environment = {**os.environ, "VULTUS_HOME": str(self._home)}
        try:
            if self._log is None:
                code = subprocess.run(command, env=environment, check=False).returncode
            else:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                with self._log.open("ab") as out:
                    code = subprocess.run(
                        command, env=environment, check=False, stdout=out, stderr=out
                    ).returncode
        except OSError as error:
            raise RetrainingFailed(f"{command[0]} cannot be started: {error}") from error
        where = "above" if self._log is None else str(self._log)
        if code:
            raise RetrainingFailed(
                f"`{' '.join(command)}` ended with {code}; what it said is {where}"
            )
        return f"`{' '.join(command)}` is done; what it said is {where}"


def _vultus() -> tuple[str, ...]:
    beside = Path(sys.executable).with_name("vultus")
    if beside.exists():
        return (str(beside),)
    found = shutil.which("vultus")
    if found is None:
        raise RetrainingFailed("the command `vultus` is not installed here")
    return (found,)
