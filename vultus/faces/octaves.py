"""An image halved again and again, and boxes cut out of the half that fits: one remap for many."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, RgbBatch, RgbImage

_LARGEST_SIDE = 32_000
"""OpenCV's remap counts pixels in 16 bits: no side of source or result may reach 32,768."""
_COARSEST_PX = 12
_FINER = 1.0
"""A crop is taken from the smallest half that still has this many pixels for each of its own: fewer
would blur it, twice as many would leave gaps between the pixels that the remap reads."""


class Octaves:
    """One image at 1, 1/2, 1/4, …, each the mean of 2 x 2 pixels of the one before, made when asked.

    Args: image: RGB uint8 [H, W, 3].
    """

    def __init__(self, image: RgbImage) -> None:
        self._levels = [image]

    def at_least(self, scale: float) -> RgbImage:
        """The smallest of the halves that is no smaller than `scale` times the image."""
        return self._level(int(np.floor(np.log2(1 / min(scale, 1.0)) + 1e-9)))

    def crops(self, boxes: Boxes, side: int, *, samples: int = 1) -> RgbBatch:
        """Cut boxes to one size.

        Args:
            boxes: float32 [N, 4], pixels of the image, fractions count; may lie outside it.
            side: pixels.
            samples: across and down each pixel, averaged; 2 is steadier under a shift, and slower.
        Returns: uint8 [N, side, side, 3], black beyond the image.
        """
        cut = np.empty((len(boxes), side, side, 3), np.uint8)
        sides = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1e-3)
        wanted = np.floor(np.log2(np.maximum(sides / (side * samples * _FINER), 1.0))).astype(int)
        for octave in np.unique(wanted):
            chosen = np.flatnonzero(wanted == octave)
            level = self._level(int(octave))
            most = _LARGEST_SIDE // (side * samples)
            for start in range(0, len(chosen), most):
                part = chosen[start : start + most]
                inner = boxes[part] * self._shrink(level)
                cut[part] = _remapped(level, inner, side, samples)
        return cut

    def _level(self, octave: int) -> RgbImage:
        while len(self._levels) <= octave and min(self._levels[-1].shape[:2]) >= 2 * _COARSEST_PX:
            last = self._levels[-1]
            size = (last.shape[1] // 2, last.shape[0] // 2)
            half = cv2.resize(last, size, interpolation=cv2.INTER_AREA)
            self._levels.append(np.asarray(half, np.uint8))
        return self._levels[min(octave, len(self._levels) - 1)]

    def _shrink(self, level: RgbImage) -> NDArray[np.float32]:
        """Factors of x1, y1, x2, y2; not quite a power of two where a side is odd."""
        height, width = self._levels[0].shape[:2]
        across, down = level.shape[1] / width, level.shape[0] / height
        return np.array([across, down, across, down], np.float32)


def _remapped(image: RgbImage, boxes: Boxes, side: int, samples: int) -> RgbBatch:
    """Bilinear samples at the middles of side·samples x side·samples cells of each box, averaged."""
    count = side * samples
    steps = ((np.arange(count, dtype=np.float32) + 0.5) / count)[None]
    corner, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    xs = corner[:, :1] + extent[:, :1] * steps - 0.5
    ys = corner[:, 1:] + extent[:, 1:] * steps - 0.5
    shape = (len(boxes), count, count)
    across = np.broadcast_to(xs[:, None, :], shape).reshape(-1, count)
    down = np.broadcast_to(ys[:, :, None], shape).reshape(-1, count)
    flat = cv2.remap(image, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    if samples > 1:
        flat = cv2.resize(flat, (side, len(boxes) * side), interpolation=cv2.INTER_AREA)
    return np.asarray(flat, np.uint8).reshape(-1, side, side, 3)
