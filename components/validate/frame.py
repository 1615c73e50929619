"""FaceCrops as the two tables that the expectations speak of."""

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes
from vultus.contracts.words import Presentation, Split

Integers = NDArray[np.int32]


def crops_frame(crops: pa.Table) -> pd.DataFrame:
    """One row a face, plus the columns that leakage and geometry are judged by.

    `splits_of_subject`, `splits_of_image`, `splits_of_hash`: in how many splits the row's subject,
    file and perceptual hash occur (originals only for the hash: a simulated attack is another
    picture of the same split). `box_inside`: share of the box inside the picture.
    """
    frame = crops.drop_columns(["attributes", "landmarks"]).to_pandas()
    for column, name in (
        ("subject", "splits_of_subject"),
        ("image_sha256", "splits_of_image"),
        ("phash", "splits_of_hash"),
    ):
        frame[name] = frame.groupby(column)["split"].transform("nunique")
    box = np.stack(frame.pop("box").to_numpy())
    frame["box_width_px"] = box[:, 2] - box[:, 0]
    frame["box_height_px"] = box[:, 3] - box[:, 1]
    frame["box_inside"] = _inside(box, frame["width"].to_numpy(), frame["height"].to_numpy())
    frame["species_fits"] = (frame["presentation"] == Presentation.ATTACK) == frame[
        "species"
    ].notna()
    return frame.drop(columns=["context_box", "simulation"])


def splits_frame(crops: pa.Table, pictures: int) -> pd.DataFrame:
    """One row a split: faces, subjects, and subjects with at least two bona fide originals."""
    frame = crops.select(["split", "subject", "presentation", "simulated"]).to_pandas()
    own = frame[(frame["presentation"] == Presentation.BONA_FIDE) & ~frame["simulated"]]
    images = own.groupby(["split", "subject"]).size()
    rows = []
    for split in Split:
        counts = images[images.index.get_level_values("split") == split.value]
        of_split = frame[frame["split"] == split.value]
        rows.append(
            {
                "split": split.value,
                "faces": len(of_split),
                "subjects": of_split["subject"].nunique(),
                "mated_subjects": int((counts >= 2).sum()),
                "attacks": int((of_split["presentation"] == Presentation.ATTACK).sum()),
                "found_share": len(frame) / max(pictures, 1),
            }
        )
    return pd.DataFrame(rows)


def _inside(box: Boxes, width: Integers, height: Integers) -> NDArray[np.float64]:
    across = np.minimum(box[:, 2], width) - np.maximum(box[:, 0], 0)
    down = np.minimum(box[:, 3], height) - np.maximum(box[:, 1], 0)
    whole = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    inner = np.clip(across, 0, None) * np.clip(down, 0, None)
    return np.asarray(inner / np.maximum(whole, 1e-6), np.float64)
