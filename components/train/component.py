"""KFP task of the train step."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import Checkpoint, FaceCrops, ValidationReport


@dsl.component(base_image="vultus/train:dev", install_kfp_package=False)
def train(
    crops: Input[FaceCrops],
    validation: Input[ValidationReport],
    checkpoint: Output[Checkpoint],
    params: dict,
) -> None:
    """Fit the network of `params.task` on crops that were validated; goes on after a kill."""
    from pathlib import Path

    from components.train import TrainParams, train_model
    from vultus.registry import tracker_from
    from vultus.settings import Settings
    from vultus.storage import store_from

    settings = Settings()
    report = train_model(
        Path(crops.path),
        Path(checkpoint.path),
        TrainParams.model_validate(params),
        store=store_from(settings.storage, settings.paths),
        tracker=tracker_from(settings.tracking, settings.paths),
        resume=settings.paths.resume,
        weights=settings.paths.weights,
        threads=settings.threads,
    )
    checkpoint.metadata.update(report.summary())
