"""Hands a compiled pipeline to Kubeflow Pipelines."""

import tempfile
from pathlib import Path
from typing import Any

from pipelines.compilation import NAMES, compile_pipelines
from pipelines.params import check_params
from vultus.contracts.words import Task
from vultus.errors import BadParameter, VultusError


class SubmissionFailed(VultusError):
    """Kubeflow Pipelines did not take the run."""


def submit(task: Task, params: dict[str, Any], *, host: str | None) -> str:
    """Compile and start one run; returns the address of its page.

    Raises: BadParameter, without a host or for a wrong step parameter; SubmissionFailed.
    """
    if host is None:
        raise BadParameter("--on kubeflow needs --host https://…, the Kubeflow Pipelines endpoint")
    check_params(task, params)
    from kfp import Client

    with tempfile.TemporaryDirectory() as folder:
        file = compile_pipelines(Path(folder))[task]
        try:
            made = Client(host=host).create_run_from_pipeline_package(
                str(file), arguments=params, experiment_name=NAMES[task]
            )
        except Exception as error:  # kfp's client raises its server API's and urllib3's errors
            raise SubmissionFailed(f"{host} did not take {NAMES[task]}: {error}") from error
    return f"{host.rstrip('/')}/#/runs/details/{made.run_id}"
