"""Quality of one face picture, 0-100, higher is better: components that need no network.

Names follow ISO/IEC 29794-5; the computations are our own, simple ones, and are not the standard's
reference algorithms (OFIQ): compare them with each other, not with another product's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.faces.context import window
from vultus.faces.pose import pose_deg

_SIDE = 128
_SHARP_HALF = 60.0
"""Laplacian variance of a 128-pixel face that gives 50 (median of mildly blurred renders: guess)."""
_EYES_FULL_PX = 60.0
"""Eye distance that gives 100; ISO/IEC 29794-5 asks for 90 in travel documents, 60 in access control."""
_POSE_LIMIT_DEG = 60.0


def quality(image: RgbImage, box: Box, landmarks: Landmarks) -> dict[str, float]:
    """Measure one face.

    Args:
        image: RGB uint8 [H, W, 3].
        box: float32 [4], pixels; landmarks: float32 [5, 2], pixels.
    Returns: QUALITY_COMPONENTS -> 0..100; `unified` is the geometric mean of the others, so that one
        very bad component is not hidden by good ones.
    """
    x1, y1, x2, y2 = window(box, 1.0, image.shape)
    grey = cv2.cvtColor(
        cv2.resize(image[y1:y2, x1:x2], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA),
        cv2.COLOR_RGB2GRAY,
    ).astype(np.float32)
    eyes_px = float(np.hypot(*(landmarks[1] - landmarks[0])))
    yaw, pitch, _ = pose_deg(landmarks)
    parts = {
        "sharpness": _sharpness(grey, eyes_px),
        "under_exposure_prevention": 100 * (1 - float(np.mean(grey < 26)) ** 0.7),
        "over_exposure_prevention": 100 * (1 - float(np.mean(grey > 247)) ** 0.7),
        "dynamic_range": _dynamic_range(grey),
        "inter_eye_distance": 100 * min(1.0, eyes_px / _EYES_FULL_PX),
        "head_pose": 100 * max(0.0, 1 - (abs(yaw) + abs(pitch)) / _POSE_LIMIT_DEG),
    }
    floored = np.maximum(list(parts.values()), 1.0)
    parts["unified"] = float(np.exp(np.mean(np.log(floored))))
    return {name: float(np.clip(value, 0, 100)) for name, value in parts.items()}


def _sharpness(grey: NDArray[np.float32], eyes_px: float) -> float:
    """Variance of the Laplacian; a face blown up from few pixels cannot be sharp."""
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return 100 * variance / (variance + _SHARP_HALF) * min(1.0, eyes_px / 20.0)


def _dynamic_range(grey: NDArray[np.float32]) -> float:
    """Entropy of the grey histogram against the 7 bits of a well exposed face."""
    counts = np.histogram(grey, bins=256, range=(0, 256))[0].astype(np.float64)
    share = counts[counts > 0] / counts.sum()
    return float(100 * min(1.0, -(share * np.log2(share)).sum() / 7.0))
