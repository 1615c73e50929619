"""The chain that both tasks share; a wrong hand-over fails when it is compiled."""

from typing import Any, NamedTuple

from components.artifacts import (
    Checkpoint,
    EvaluationReport,
    FaceCrops,
    ModelVersion,
    OnnxModel,
    RawFaces,
    ValidationReport,
)
from components.crop.component import crop
from components.evaluate.component import evaluate
from components.export.component import export
from components.ingest.component import ingest
from components.promote.component import promote
from components.register.component import register
from components.train.component import train
from components.validate.component import validate
from pipelines.placement import placed
from vultus.contracts.words import Task


class Outputs(NamedTuple):
    """What a run leaves behind; kfp makes them outputs of the whole pipeline."""

    raw: RawFaces
    crops: FaceCrops
    validation: ValidationReport
    checkpoint: Checkpoint
    evaluation: EvaluationReport
    model: OnnxModel
    version: ModelVersion
    decision: str


def chain(task: Task, source: Any, seed: Any, params: dict[str, Any]) -> Outputs:
    """Wire the eight steps of one task.

    Args: source, seed, params: pipeline parameters; params has one entry a step.
    """
    taken = placed(ingest(source=source, seed=seed, params=params["ingest"]), "ingest")
    raw = taken.outputs["raw"]
    crops = placed(crop(raw=raw, params=params["crop"]), "crop").outputs["crops"]
    valid = placed(validate(raw=raw, crops=crops, params=params["validate"]), "validate")
    trained = placed(
        train(
            crops=crops,
            validation=valid.outputs["validation"],
            task=task.value,
            seed=seed,
            params=params["train"],
        ),
        "train",
    )
    checkpoint = trained.outputs["checkpoint"]
    judged = placed(
        evaluate(checkpoint=checkpoint, crops=crops, params=params["evaluate"]), "evaluate"
    )
    evaluation = judged.outputs["evaluation"]
    exported = placed(
        export(checkpoint=checkpoint, evaluation=evaluation, params=params["export"]), "export"
    )
    version = placed(
        register(model=exported.outputs["model"], evaluation=evaluation, params=params["register"]),
        "register",
    )
    decided = placed(
        promote(version=version.outputs["version"], params=params["promote"]), "promote"
    )
    return Outputs(
        raw=raw,
        crops=crops,
        validation=valid.outputs["validation"],
        checkpoint=checkpoint,
        evaluation=evaluation,
        model=exported.outputs["model"],
        version=version.outputs["version"],
        decision=decided.output,
    )
