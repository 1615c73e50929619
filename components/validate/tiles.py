"""Rows -> one sheet of small faces."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from components.validate.album import Album, Kind
from vultus.contracts.arrays import RgbImage
from vultus.reports.charts import sheet

ACROSS = 6
"""Small pictures in a line: on a screen of 400 px each is still 58 px wide."""


_PAPER = 255


def faces_of(
    album: Album, groups: Sequence[Sequence[int]], kind: Kind = "chip", across: int = ACROSS
) -> bytes:
    """A JPEG of groups of rows, all groups of one length, side by side.

    Raises: StorageUnavailable; BadArtifact, if the store lost one.
    """
    found = album.pictures((row for group in groups for row in group), kind)
    return sheet(
        [[squared(found[int(row)]) for row in group] for group in groups],
        columns=across,
        ground=_PAPER,
    )


def sheet_of(images: Sequence[RgbImage], across: int = ACROSS) -> bytes:
    """A JPEG of whole pictures, each padded to a square."""
    return sheet([[squared(image)] for image in images], columns=across, ground=_PAPER)


def squared(image: RgbImage) -> RgbImage:
    """The picture in the middle of a grey square."""
    height, width = image.shape[:2]
    side = max(height, width)
    canvas = np.full((side, side, 3), 190, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = image
    return canvas


def spaced(rows: NDArray[np.int64], most: int) -> list[int]:
    """At most `most` entries, evenly spaced from the first to the last."""
    if rows.size <= most:
        return [int(row) for row in rows]
    return [int(rows[at]) for at in np.linspace(0, rows.size - 1, most).round().astype(int)]
