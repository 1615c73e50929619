"""RawFaces and FaceCrops as compact tables that the expectations speak of: about 150 bytes a row."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components.validate.columns import Columns
from components.validate.params import ValidateParams
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.words import QUALITY_COMPONENTS, Presentation
from vultus.dataset.near import Rows
from vultus.dataset.straddle import (
    ACROSS_SPLITS,
    NEAR_COLUMNS,
    REASONS,
    TWO_IDENTITIES,
    NearRows,
    doubtful,
)

_WORDS = ("subject", "split", "presentation", "species", "source", "licence")
_MEASURES = (
    *("detection_score", "yaw_deg", "pitch_deg", "roll_deg"),
    *(f"quality_{name}" for name in QUALITY_COMPONENTS),
)


def raw_frame(raw: RawFaces, params: ValidateParams) -> pd.DataFrame:
    """One row a picture; `image` numbers the files."""
    columns = Columns(raw)
    made = _shared(columns, params)
    made["digests_whole"] = columns.digests(["image_sha256"])
    made["bytes"] = columns.numbers("bytes", np.int64)
    return _joined(made)


def crops_frame(crops: FaceCrops, params: ValidateParams) -> pd.DataFrame:
    """One row a face, plus the columns that leakage and geometry are judged by.

    `near_duplicate_…`: the row would have to go for that reason (`vultus.dataset.straddle`).
    `box_inside`: share of the box inside the picture.
    """
    columns = Columns(crops)
    made = _shared(columns, params)
    made["digests_whole"] = columns.digests(["image_sha256", "chip_sha256", "context_sha256"])
    made["face_index"] = columns.numbers("face_index", np.int32)
    made["context_kind"] = columns.words("context_kind")
    made |= columns.measures(_MEASURES)
    found = doubtful(
        NearRows.of(crops.stream(NEAR_COLUMNS)),
        near_bits=params.near_duplicate_bits,
        identity_bits=params.same_picture_bits,
    )
    codes = {reason: code for code, reason in REASONS.items()}
    for reason in (ACROSS_SPLITS, TWO_IDENTITIES):
        made[reason] = found == codes[reason]
    made |= _geometry(columns, made["width"], made["height"])
    return _joined(made)


def _joined(made: dict[str, Any]) -> pd.DataFrame:
    """The columns, those of one kind in one block: great-expectations copies the frame hundreds of
    times, and each copy would join them (a minute at 3.3 million rows)."""
    return pd.DataFrame(made, copy=True)


def _shared(columns: Columns, params: ValidateParams) -> dict[str, Any]:
    """What both kinds of row have.

    `splits_of_subject`, `splits_of_image`: in how many splits the row's subject and file occur.
    `species_fits`: attacks have a species, others none; `simulation_fits`: simulated rows say how.
    """
    made: dict[str, Any] = {name: columns.words(name) for name in _WORDS}
    made["image"] = columns.numbered("image_sha256")
    made["simulated"] = columns.numbers("simulated", np.bool_)
    made["width"] = columns.numbers("width", np.int32)
    made["height"] = columns.numbers("height", np.int32)
    split = made["split"].codes
    made["splits_of_subject"] = splits_of(made["subject"].codes, split)
    made["splits_of_image"] = splits_of(made["image"], split)
    attack = np.asarray(made["presentation"] == Presentation.ATTACK.value)
    made["species_fits"] = attack == (made["species"].codes >= 0)
    made["simulation_fits"] = made["simulated"] == columns.present("simulation")
    for name in dict.fromkeys((*params.required_attributes, *params.stratify_by)):
        made[f"attribute_{name}"] = columns.attribute(name)
    return made


def splits_of(group: NDArray[np.integer], split: NDArray[np.integer]) -> NDArray[np.uint8]:
    """In how many splits the group of each row occurs.

    Args: group, split: [N], numbers of at most 7 splits; -1 counts as one of its own.
    """
    place = np.asarray(group, np.int64) + 1
    seen = np.zeros(int(place.max(initial=0)) + 1, np.uint8)
    np.bitwise_or.at(seen, place, np.left_shift(1, split.astype(np.int64) + 1).astype(np.uint8))
    return np.asarray(np.bitwise_count(seen)[place], np.uint8)


def _geometry(columns: Columns, width: Rows, height: Rows) -> dict[str, NDArray[np.float32]]:
    flat = columns.of("box").combine_chunks().flatten().to_numpy()
    box = flat.astype(np.float32, copy=False).reshape(-1, 4)
    across = np.minimum(box[:, 2], width) - np.maximum(box[:, 0], 0)
    down = np.minimum(box[:, 3], height) - np.maximum(box[:, 1], 0)
    wide, high = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    inner = np.clip(across, 0, None) * np.clip(down, 0, None)
    return {
        "box_width_px": wide,
        "box_height_px": high,
        "box_inside": (inner / np.maximum(wide * high, 1e-6)).astype(np.float32),
    }
