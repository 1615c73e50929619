"""The same image, smaller and smaller, so that a 12-pixel net meets faces of every size."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from vultus.contracts.arrays import RgbImage

_CELL_PX = 12


def scales_for(shape: tuple[int, ...], min_face_px: int, factor: float) -> list[float]:
    """Scales at which a face of min_face_px, min_face_px / factor, ... is 12 pixels.

    Args: shape: (H, W, ...) of the image; factor: step, below 1.
    Returns: decreasing, as long as the shorter side keeps 12 pixels; empty for a tiny image.
    """
    scale = _CELL_PX / min_face_px
    shorter = min(shape[:2]) * scale
    scales = []
    while shorter >= _CELL_PX:
        scales.append(scale)
        scale *= factor
        shorter *= factor
    return scales


def levels(image: RgbImage, scales: Sequence[float]) -> Iterator[tuple[float, RgbImage]]:
    """The image at every scale, each area-averaged from the full one.

    Yields: the scale, and RGB uint8 [ceil(H * scale), ceil(W * scale), 3].
    """
    height, width = image.shape[:2]
    for scale in scales:
        size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        yield scale, np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
