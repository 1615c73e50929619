"""The KFP task `register`."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import EvaluationReport, ModelVersion, OnnxModel


@dsl.component(base_image="vultus/register:dev", install_kfp_package=False)
def register(
    model: Input[OnnxModel],
    evaluation: Input[EvaluationReport],
    version: Output[ModelVersion],
    params: dict,
) -> None:
    """Sign the model with its evaluation and add it to the registry."""
    from pathlib import Path

    from components.door import open_door
    from components.register import RegisterParams, register_model
    from vultus.registry import registry_from, tracker_from

    door = open_door()
    report = register_model(
        Path(model.path),
        Path(evaluation.path),
        Path(version.path),
        RegisterParams.model_validate(params),
        registry=registry_from(door.settings.tracking, door.home),
        tracker=tracker_from(door.settings.tracking, door.home),
        signing_key=door.signing_key(),
        git_commit=door.settings.git_commit,
    )
    version.metadata.update(report.summary())
