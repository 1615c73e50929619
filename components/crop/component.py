"""The KFP task `crop`."""

from kfp import dsl
from kfp.dsl import Input, Output

from components.artifacts import FaceCrops, RawFaces


@dsl.component(base_image="vultus/crop:dev", install_kfp_package=False)
def crop(raw: Input[RawFaces], crops: Output[FaceCrops], params: dict) -> None:
    """Detect, align and cut every face of `raw`."""
    from pathlib import Path

    from components.crop import CropParams, crop_faces
    from components.door import open_door

    door = open_door()
    report = crop_faces(
        Path(raw.path),
        Path(crops.path),
        CropParams.model_validate(params),
        store=door.store,
        kept=door.kept(door.home.crop),
        processes=door.processes,
    )
    crops.metadata.update(report.summary())
