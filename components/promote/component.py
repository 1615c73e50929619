"""The KFP task `promote`."""

from kfp import dsl
from kfp.dsl import Input

from components.artifacts import ModelVersion


@dsl.component(base_image="vultus/promote:dev", install_kfp_package=False)
def promote(version: Input[ModelVersion], params: dict) -> str:
    """Judge the version against the champion; returns "passed" or "refused"."""
    from pathlib import Path

    from components.door import open_door
    from components.promote import PromoteParams, promote_model, roll_out
    from vultus.registry import registry_from, tracker_from

    door = open_door()
    report = promote_model(
        Path(version.path),
        PromoteParams.model_validate(params),
        registry=registry_from(door.settings.tracking, door.home),
        tracker=tracker_from(door.settings.tracking, door.home),
        store=door.store,
        home=door.home,
        signing_key=door.signing_key(),
    )
    roll_out(report, door.settings.rollout)
    return report.decision
