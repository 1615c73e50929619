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

    from components.export import ExportParams, export_model
    from vultus.settings import Settings
    from vultus.storage import store_from

    settings = Settings()
    report = export_model(
        Path(checkpoint.path),
        Path(evaluation.path),
        Path(model.path),
        ExportParams.model_validate(params),
        store=store_from(settings.storage, settings.paths),
    )
    model.metadata.update(report.summary())
