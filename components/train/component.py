"""KFP task of the train step."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import Checkpoint, FaceCrops, ValidationReport


@dsl.component(base_image="vultus/train:dev", install_kfp_package=False)
def train(
    crops: Input[FaceCrops],
    validation: Input[ValidationReport],
    checkpoint: Output[Checkpoint],
    task: str,
    seed: int,
    params: dict,
) -> None:
    """Fit the network of `task` on crops that were validated; goes on after a kill."""
    import os
    from pathlib import Path

    from components.door import open_door
    from components.train import TrainParams, train_model
    from components.train.world import world_of
    from vultus.registry import tracker_from

    door = open_door()
    report = train_model(
        Path(crops.path),
        Path(checkpoint.path),
        TrainParams.model_validate({**params, "task": task, "seed": seed}),
        store=door.store,
        tracker=tracker_from(door.settings.tracking, door.home),
        resume=door.home.resume,
        weights=door.home.weights,
        threads=door.settings.threads,
        device=door.settings.device,
        world=world_of(os.environ),
        commit=door.settings.git_commit,
    )
    checkpoint.metadata.update(report.summary())
