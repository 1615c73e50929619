"""Pictures of the training split that an int8 network may be calibrated on."""

import pyarrow as pa
import pyarrow.compute as pc

from components.evaluate.pictures import fair_draw
from vultus.contracts.evaluation import CALIBRATION
from vultus.contracts.words import Presentation, Split, Task


def calibration_of(crops: pa.Table, task: Task, count: int, seed: int) -> pa.Table:
    """Rows of CALIBRATION, at most `count`, drawn fairly.

    Recognition: chips of bona fide faces, by subject. PAD: contexts, by PAI species.
    """
    rows = crops.filter(pc.equal(crops["split"], Split.TRAIN.value))
    if task is Task.RECOGNITION:
        rows = rows.filter(pc.equal(rows["presentation"], Presentation.BONA_FIDE.value))
        rows = rows.filter(pc.invert(rows["simulated"]))
        picture, group = "chip_sha256", "subject"
    else:
        picture, group = "context_sha256", "species"
    rows = rows.select([picture, group, "context_box"]).sort_by(picture)
    drawn = rows.take(fair_draw(rows[group].to_pylist(), count, seed))
    return pa.table([drawn[picture], drawn["context_box"]], schema=CALIBRATION)
