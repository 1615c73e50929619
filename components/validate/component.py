"""The KFP task `validate`."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import FaceCrops, RawFaces, ValidationReport


@dsl.component(base_image="vultus/validate:dev", install_kfp_package=False)
def validate(
    raw: Input[RawFaces],
    crops: Input[FaceCrops],
    validation: Output[ValidationReport],
    params: dict,
) -> None:
    """Stop the run where the data would mislead."""
    from pathlib import Path

    from components.door import open_door
    from components.validate import ValidateParams, validate_crops
    from components.validate.report import dataset_report

    door = open_door()
    given = ValidateParams.model_validate(params)
    writer = dataset_report(given.report, door.store, door.home.weights, door.processes)
    report = validate_crops(
        Path(raw.path), Path(crops.path), Path(validation.path), given, report=writer.write
    )
    validation.metadata.update(report.summary())
