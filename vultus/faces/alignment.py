"""Five landmarks onto a template.

Source: Umeyama, Least-squares estimation of transformation parameters between two point patterns,
TPAMI 1991; template: Deng et al., ArcFace, CVPR 2019 (112-pixel reference points).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Landmarks, RgbImage
from vultus.errors import DegenerateLandmarks

TEMPLATE_SIDE = 112
ARCFACE_TEMPLATE: Landmarks = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float32,
)
_MIN_SPREAD_PX = 1e-3


def align(image: RgbImage, landmarks: Landmarks, side: int = TEMPLATE_SIDE) -> RgbImage:
    """Warp one face so that its landmarks fall on the ArcFace template.

    Args:
        image: RGB uint8 [H, W, 3].
        landmarks: float32 [5, 2], pixels (x, y): eyes, nose, mouth corners; image-left first.
        side: output width and height, pixels.
    Returns: RGB uint8 [side, side, 3]; scaling to floats is the work of `to_tensor`.
    Raises: DegenerateLandmarks, if the points allow no similarity transform.
    """
    matrix = similarity(landmarks, ARCFACE_TEMPLATE * (side / TEMPLATE_SIDE))
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)


def similarity(source: Landmarks, target: Landmarks) -> NDArray[np.float64]:
    """The least-squares rotation, uniform scale and shift that moves source onto target.

    Args: source, target: float32 [N, 2], N >= 2.
    Returns: float64 [2, 3], for column vectors (x, y, 1).
    Raises: DegenerateLandmarks, if the points coincide or are not finite.
    """
    source64, target64 = source.astype(np.float64), target.astype(np.float64)
    centre_s, centre_t = source64.mean(0), target64.mean(0)
    from_s, from_t = source64 - centre_s, target64 - centre_t
    variance = float((from_s**2).sum()) / len(source)
    if not np.isfinite(variance) or variance < _MIN_SPREAD_PX:
        raise DegenerateLandmarks(
            f"landmarks {np.round(source, 1).tolist()} allow no alignment: they coincide"
        )
    u, singular, vt = np.linalg.svd(from_t.T @ from_s / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt)) or 1.0])
    rotation = u @ np.diag(signs) @ vt
    scale = float((singular * signs).sum()) / variance
    return np.column_stack([scale * rotation, centre_t - scale * rotation @ centre_s])
