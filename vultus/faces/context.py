"""The picture around a face: what PAD looks at, and how much of it there is."""

from dataclasses import dataclass

import cv2
import numpy as np

from vultus.contracts.arrays import Box, RgbImage
from vultus.contracts.words import ContextKind

TIGHT_BELOW_ROOM = 1.15
"""Measured on real camera frames and crops: tight crops stay <= 1.05, nine of ten frames >= 1.28."""


@dataclass(frozen=True)
class Context:
    """A square neighbourhood of a face.

    image: RGB uint8 [h, w, 3]; box: float32 [4], the face in the context's own pixels.
    """

    image: RgbImage
    box: Box
    kind: ContextKind


def room(box: Box, shape: tuple[int, ...]) -> float:
    """How far the box can grow inside an image of that shape: min(H / h, W / w)."""
    width, height = max(float(box[2] - box[0]), 1.0), max(float(box[3] - box[1]), 1.0)
    return float(min(shape[0] / height, shape[1] / width))


def context_kind(box: Box, shape: tuple[int, ...]) -> ContextKind:
    """Whether there is room around the face."""
    return ContextKind.TIGHT if room(box, shape) < TIGHT_BELOW_ROOM else ContextKind.FULL


def window(box: Box, scale: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Square of `scale` x the longer box side, shifted and then cut to lie inside the image.

    Args: box: float32 [4], pixels; scale: times; shape: (H, W, ...).
    Returns: x1, y1, x2, y2, whole pixels, at least one pixel wide and high.
    """
    height, width = shape[:2]
    side = scale * max(float(box[2] - box[0]), float(box[3] - box[1]), 1.0)
    across, down = min(side, width), min(side, height)
    x1 = min(max((float(box[0]) + float(box[2]) - across) / 2, 0.0), width - across)
    y1 = min(max((float(box[1]) + float(box[3]) - down) / 2, 0.0), height - down)
    left, top = min(round(x1), width - 1), min(round(y1), height - 1)
    right = max(left + 1, min(round(x1 + across), width))
    bottom = max(top + 1, min(round(y1 + down), height))
    return left, top, right, bottom


def context_crop(image: RgbImage, box: Box, *, extent: float = 4.0, max_px: int = 384) -> Context:
    """Cut the context of one face; a larger one is shrunk by area averaging.

    Args:
        image: RGB uint8 [H, W, 3].
        box: float32 [4], the face.
        extent: side of the context, times the longer side of the box.
        max_px: longest side of the result, pixels.
    """
    x1, y1, x2, y2 = window(box, extent, image.shape)
    cut = image[y1:y2, x1:x2]
    shrink = min(1.0, max_px / max(cut.shape[:2]))
    moved = (np.asarray(box, np.float32) - np.array([x1, y1, x1, y1], np.float32)) * shrink
    if shrink < 1.0:
        size = (max(1, round(cut.shape[1] * shrink)), max(1, round(cut.shape[0] * shrink)))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    return Context(
        np.ascontiguousarray(cut), moved.astype(np.float32), context_kind(box, image.shape)
    )
