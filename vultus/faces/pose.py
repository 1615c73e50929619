"""Head pose estimated from five landmarks: rough, monotone, good for slices and limits."""

import numpy as np

from vultus.contracts.arrays import Landmarks

_NOSE_DEPTH = 0.62
"""Nose tip before the eye plane, in eye distances, of an average head (MakeHuman base mesh: guess)."""
_NEUTRAL_NOSE = 0.55
"""Nose tip between the eye line (0) and the mouth line (1), seen from the front (ArcFace template)."""


def pose_deg(landmarks: Landmarks) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees.

    Args: landmarks: float32 [5, 2], pixels.
    Returns: yaw > 0: the nose points to the image's right; pitch > 0: it points down;
        roll > 0: the image-right eye is lower.
    """
    eyes = landmarks[1] - landmarks[0]
    roll = np.arctan2(eyes[1], eyes[0])
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    upright = (landmarks - landmarks[:2].mean(0)) @ turn.T
    mouth = upright[3:].mean(0)
    length = float(np.hypot(*mouth)) or 1.0
    side = _NOSE_DEPTH * max(float(np.hypot(*eyes)), 0.8 * length)
    sideways = (float(upright[2, 0]) - float(mouth[0]) * _NEUTRAL_NOSE) / max(side, 1e-6)
    down = float(upright[2, 1]) / length - _NEUTRAL_NOSE
    yaw = np.arcsin(np.clip(sideways, -1, 1))
    pitch = np.arcsin(np.clip(down * 1.6, -1, 1))
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
