"""Many pictures on one sheet."""

from collections.abc import Sequence

import numpy as np

from vultus.contracts.arrays import RgbImage


def contact_sheet(images: Sequence[RgbImage], columns: int, gap_px: int = 4) -> RgbImage:
    """Lay equal pictures out row by row on white. RGB uint8."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    sheet = np.full(
        (rows * (height + gap_px) - gap_px, columns * (width + gap_px) - gap_px, 3), 255, np.uint8
    )
    for index, image in enumerate(images):
        top, left = index // columns * (height + gap_px), index % columns * (width + gap_px)
        sheet[top : top + height, left : left + width] = image
    return sheet
