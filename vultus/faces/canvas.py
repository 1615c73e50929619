"""All scales of an image on one canvas, so that the proposal net runs once.

The plan (which scale lies where, which box of the image each cell of the answer means) depends on
the size alone and is kept for the sizes that were met last.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, RgbImage
from vultus.faces.octaves import Octaves
from vultus.faces.pyramid import scales_for

CELL = 12
STRIDE = 2
_GREY = 127
"""Between the scales: what the net takes for zero, so that no edge of black looks like a face."""


@dataclass(frozen=True)
class Plan:
    """How one image size is laid out.

    scales: of each level; places: (x, y, width, height) of each on the canvas, even corners;
    height, width: of the canvas; level: int16 [h, w], which level a cell of the answer belongs to,
    -1 where it would see two or none; boxes: float32 [h, w, 4], what the cell sees, image pixels.
    """

    scales: tuple[float, ...]
    places: tuple[tuple[int, int, int, int], ...]
    height: int
    width: int
    level: NDArray[np.int16]
    boxes: NDArray[np.float32]

    def cells(self, logits: NDArray[np.float32], least: float) -> NDArray[np.intp]:
        """Flat indices of the cells that count and reach `least`, best first."""
        flat = logits.reshape(-1)
        chosen = np.flatnonzero((flat >= least) & (self.level.reshape(-1) >= 0))
        return chosen[np.argsort(-flat[chosen], kind="stable")]

    def seen(self, cells: NDArray[np.intp]) -> tuple[NDArray[np.int16], Boxes]:
        """Level and box of each of these cells."""
        return self.level.reshape(-1)[cells], self.boxes.reshape(-1, 4)[cells]


@lru_cache(maxsize=64)
def plan_for(height: int, width: int, min_face_px: int, factor: float) -> Plan | None:
    """The plan of one image size; None for an image smaller than a face."""
    scales = scales_for((height, width), min_face_px, factor)
    if not scales:
        return None
    sizes = [(int(np.ceil(width * s)), int(np.ceil(height * s))) for s in scales]
    places, canvas_width, canvas_height = _packed(sizes)
    rows, columns = _answers(canvas_height), _answers(canvas_width)
    level = np.full((rows, columns), -1, np.int16)
    boxes = np.zeros((rows, columns, 4), np.float32)
    for number, ((x, y, w, h), scale) in enumerate(zip(places, scales, strict=True)):
        down, across = _answers(h), _answers(w)
        top, left = y // STRIDE, x // STRIDE
        level[top : top + down, left : left + across] = number
        here = boxes[top : top + down, left : left + across]
        first = np.arange(across, dtype=np.float32) * STRIDE + 1
        here[..., 0], here[..., 2] = first / scale, (first + CELL - 1) / scale
        first = (np.arange(down, dtype=np.float32) * STRIDE + 1)[:, None]
        here[..., 1], here[..., 3] = first / scale, (first + CELL - 1) / scale
    return Plan(tuple(scales), tuple(places), canvas_height, canvas_width, level, boxes)


def painted(octaves: Octaves, plan: Plan) -> RgbImage:
    """The canvas: uint8 [H, W, 3]."""
    canvas = np.full((plan.height, plan.width, 3), _GREY, np.uint8)
    for scale, (x, y, width, height) in zip(plan.scales, plan.places, strict=True):
        source = octaves.at_least(scale)
        small = cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA)
        canvas[y : y + height, x : x + width] = small
    return canvas


def _answers(side: int) -> int:
    """Cells that the proposal net answers along a side of that many pixels."""
    return max((side - 1) // STRIDE - 4, 0)


def _packed(sizes: list[tuple[int, int]]) -> tuple[list[tuple[int, int, int, int]], int, int]:
    """Each level into the smallest gap that holds it, else into a new column. Even corners.

    Args: sizes: (width, height), largest first.
    Returns: x, y, width, height of each; width and height of the canvas.
    """
    places, gaps = [], list[tuple[int, int, int, int]]()
    total, tallest = 0, sizes[0][1] + sizes[0][1] % 2
    for width, height in sizes:
        across, down = width + width % 2, height + height % 2
        fitting = [gap for gap in gaps if gap[2] >= across and gap[3] >= down]
        if fitting:
            gap = min(fitting, key=lambda gap: gap[2] * gap[3])
            gaps.remove(gap)
        else:
            gap = (total, 0, across, tallest)
            total += across
        x, y, free_across, free_down = gap
        places.append((x, y, width, height))
        gaps.append((x + across, y, free_across - across, down))
        gaps.append((x, y + down, free_across, free_down - down))
    return places, max(total, CELL), max(tallest, CELL)
