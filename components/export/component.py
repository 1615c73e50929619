"""KFP task of the export step."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import Checkpoint, EvaluationReport, OnnxModel


@dsl.component(base_image="vultus/export:dev", install_kfp_package=False)
def export(
    checkpoint: Input[Checkpoint],
    evaluation: Input[EvaluationReport],
    model: Output[OnnxModel],
    params: dict,
) -> None:
    """Write the networks of `checkpoint` as ONNX, with the thresholds `evaluation` found."""
    from pathlib import Path

    from components.door import open_door
    from components.export import ExportParams, export_model

    door = open_door()
    report = export_model(
        Path(checkpoint.path),
        Path(evaluation.path),
        Path(model.path),
        ExportParams.model_validate(params),
        store=door.store,
    )
    model.metadata.update(report.summary())
