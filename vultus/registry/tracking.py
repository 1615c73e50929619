"""Runs of an experiment, in MLflow."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from vultus.registry.client import client_of, tracking_errors

_GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE")
"""What MLflow says of a run that was never there, has no proper id, or was deleted."""


class MlflowRun:
    """One open run."""

    def __init__(self, client: Any, uri: str, run_id: str) -> None:
        self._client, self._uri, self._run_id = client, uri, run_id

    @property
    def run_id(self) -> str:
        """MLflow's id."""
        return self._run_id

    def log_params(self, params: Mapping[str, object]) -> None:
        """What was computed; a parameter logged before is left as it is."""
        from mlflow.entities import Param

        with tracking_errors(self._uri):
            known = self._client.get_run(self._run_id).data.params
            new = [Param(k, str(v)[:5000]) for k, v in params.items() if k not in known]
            for start in range(0, len(new), 100):
                self._client.log_batch(self._run_id, params=new[start : start + 100])

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Numbers at a step (epoch)."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        rows = [Metric(name, float(value), now, step) for name, value in metrics.items()]
        with tracking_errors(self._uri):
            for start in range(0, len(rows), 500):
                self._client.log_batch(self._run_id, metrics=rows[start : start + 500])

    def log_file(self, file: Path, folder: str = "") -> None:
        """Attach a file."""
        with tracking_errors(self._uri):
            self._client.log_artifact(self._run_id, str(file), folder or None)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Facts beside the params."""
        with tracking_errors(self._uri):
            for name, value in tags.items():
                self._client.set_tag(self._run_id, name, value)


class MlflowTracker:
    """Opens runs at one MLflow."""

    def __init__(self, uri: str, artifact_root: Path | None = None) -> None:
        self._uri, self._artifact_root = uri, artifact_root

    @contextmanager
    def run(self, experiment: str, name: str, *, run_id: str | None = None) -> Iterator[MlflowRun]:
        """Start a run, or go on with `run_id`; ends FINISHED, or FAILED where the body raises.

        A `run_id` that this MLflow does not know (another database, a run that was deleted) is no
        reason to lose a result: a new run takes its place.
        Raises: TrackingUnavailable.
        """
        with tracking_errors(self._uri):
            if run_id is None or not self._goes_on(run_id):
                tags = {"mlflow.runName": name}
                made = self._client.create_run(self._experiment(experiment), tags=tags)
                run_id = str(made.info.run_id)
        try:
            yield MlflowRun(self._client, self._uri, run_id)
        except BaseException:
            with tracking_errors(self._uri):
                self._client.set_terminated(run_id, "FAILED")
            raise
        with tracking_errors(self._uri):
            self._client.set_terminated(run_id, "FINISHED")

    def _goes_on(self, run_id: str) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            self._client.update_run(run_id, status="RUNNING")
        except MlflowException as error:
            if error.error_code in _GONE:
                return False
            raise
        return True

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = None if self._artifact_root is None else str(self._artifact_root)
        return str(self._client.create_experiment(name, artifact_location=location))

    @cached_property
    def _client(self) -> Any:
        return client_of(self._uri)
