"""The KFP task `evaluate`."""

from kfp import dsl
from kfp.dsl import HTML, Input, Metrics, Output

from components.artifacts import Checkpoint, EvaluationReport, FaceCrops


@dsl.component(base_image="vultus/evaluate:dev", install_kfp_package=False)
def evaluate(
    checkpoint: Input[Checkpoint],
    crops: Input[FaceCrops],
    evaluation: Output[EvaluationReport],
    metrics: Output[Metrics],
    report: Output[HTML],
    params: dict,
) -> None:
    """Judge the checkpoint on the test split, with thresholds from the validation split."""
    import shutil
    from pathlib import Path

    from components.door import open_door
    from components.evaluate import EvaluateParams, evaluate_model

    door = open_door()
    found = evaluate_model(
        Path(checkpoint.path),
        Path(crops.path),
        Path(evaluation.path),
        EvaluateParams.model_validate(params),
        store=door.store,
        version_of=door.version,
        threads=door.processes,
        weights=door.home.weights,
    )
    evaluation.metadata.update(found.summary())
    metrics.metadata.update(found.numbers())
    # kfp's local cache takes an output without a file for a lost one, and runs the step again.
    Path(metrics.path).write_text(repr(found.numbers()))
    shutil.copyfile(Path(evaluation.path) / "report.html", report.path)
