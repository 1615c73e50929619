"""The development faces beside the checkout: real people, never part of the repository."""

import csv
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from support.tree import CHECKOUT
from vultus.contracts.arrays import LandmarkSets, RgbImage
from vultus.faces.picture import decode_image

PLACE = Path(os.environ.get("VULTUS_REALDATA", CHECKOUT.parent / "shared" / "faces"))


def require() -> Path:
    """The folder; skips the test, with the reason, where it is not."""
    if not (PLACE / "recognition" / "pairs.csv").is_file():
        pytest.skip(f"no real faces at {PLACE}; set VULTUS_REALDATA to a folder that has them")
    return PLACE


def rows(name: str) -> list[dict[str, str]]:
    """One CSV file of the folder."""
    with (require() / name).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def picture(name: str) -> RgbImage:
    """RGB uint8 [H, W, 3]."""
    return decode_image((require() / name).read_bytes())


@cache
def given_landmarks() -> dict[str, LandmarkSets]:
    """file -> float32 [5, 2], as the folder's own list says."""
    return {
        row["file"]: np.array(
            [[float(row[f"p{n}x"]), float(row[f"p{n}y"])] for n in range(5)], np.float32
        )
        for row in rows("recognition/landmarks.csv")
    }


def every(names: list[str], share: int) -> list[str]:
    """One name in `share`, evenly; all with share 1."""
    return names[::share]


def thorough() -> bool:
    """Whether all of the folder is asked for (VULTUS_SOAK=1), not a tenth."""
    return os.environ.get("VULTUS_SOAK") == "1"
