"""A run reaches Kubeflow Pipelines whole, or not at all."""

import pytest

from pipelines.submit import SubmissionFailed, submit
from support.kfp_api import kfp_api
from vultus.contracts.words import Task
from vultus.errors import BadParameter


def test_the_compiled_pipeline_and_its_parameters_arrive() -> None:
    given = {"source": "s3://faces/set", "seed": 4, "train": {"epochs": 2}}
    with kfp_api() as api:
        address = submit(Task.LIVENESS, given, host=api.url)
        again = submit(Task.LIVENESS, given, host=f"{api.url}/")
    assert address == f"{api.url}/#/runs/details/run-1"
    assert again.endswith("/#/runs/details/run-2")
    assert list(api.experiments) == ["vultus-liveness"]
    run = api.runs[0]
    assert run["runtime_config"]["parameters"] == given
    spec = run["pipeline_spec"]
    spec = spec.get("pipeline_spec", spec)
    assert spec["pipelineInfo"]["name"] == "vultus-liveness"
    assert len(spec["root"]["dag"]["tasks"]) == 8


def test_a_wrong_parameter_never_leaves_this_machine() -> None:
    with kfp_api() as api:
        with pytest.raises(BadParameter, match=r"train\.epochs"):
            submit(Task.LIVENESS, {"train": {"epochs": "many"}}, host=api.url)
        assert api.runs == []


def test_without_a_host_nothing_is_guessed() -> None:
    with pytest.raises(BadParameter, match="--host"):
        submit(Task.LIVENESS, {}, host=None)


def test_a_refusal_is_passed_on_with_its_words() -> None:
    with kfp_api() as api:
        api.refuses_runs = True
        with pytest.raises(SubmissionFailed, match="quota exceeded"):
            submit(Task.RECOGNITION, {}, host=api.url)


def test_a_host_that_does_not_answer_is_named() -> None:
    with pytest.raises(SubmissionFailed, match=r"127\.0\.0\.1:9"):
        submit(Task.RECOGNITION, {}, host="http://127.0.0.1:9")
