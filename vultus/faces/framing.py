"""Where the head lies in the picture, from five landmarks: size, margins, distance of the eyes, pose.

Formulas of ISO/IEC 29794-5:2025 as OFIQ maps them to 0..100. The standard measures from the eyes to
the chin, which five landmarks do not have: that length is taken from eyes and mouth.
"""

import numpy as np

from vultus.contracts.arrays import Landmarks
from vultus.faces.pose import pose_deg

_CHIN = 1.65
"""Eyes to chin, in lengths from the eyes to the mouth (a guess from facial proportions)."""


def framing(landmarks: Landmarks, shape: tuple[int, ...]) -> dict[str, float]:
    """The components that follow from landmarks and the size of the picture.

    Args: landmarks: float32 [5, 2], pixels; shape: (H, W, ...).
    Returns: component -> 0..100:
        head_size: 200·(1 - σ(|T / H - 0.45|; 0, 0.05)), T from the eyes to the chin;
        leftward_, rightward_crop_of_the_face_image: 100·σ(x / D; 0.9, 0.1), x from the image's edge to
            the nearer eye, D the distance of the eyes;
        margin_above_, margin_below_of_the_face_image: 100·σ(y / T; 1.4, 0.1) and (…; 1.8, 0.1), y from
            the eyes to the edge;
        head_pose_yaw, _pitch, _roll: 100·max(0, cos angle)², angles as `pose_deg` estimates them.
    """
    height, width = shape[:2]
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    apart = max(float(np.linalg.norm(landmarks[1] - landmarks[0])), 1e-6)
    head = max(_CHIN * float(np.linalg.norm(mouth - eyes)), 1e-6)
    left, right = float(landmarks[:2, 0].min()), width - float(landmarks[:2, 0].max())
    yaw, pitch, roll = (100 * max(0.0, np.cos(np.radians(a))) ** 2 for a in pose_deg(landmarks))
    return {
        "head_size": 200 * (1 - sigmoid(abs(head / height - 0.45), 0, 0.05)),
        "leftward_crop_of_the_face_image": 100 * sigmoid(left / apart, 0.9, 0.1),
        "rightward_crop_of_the_face_image": 100 * sigmoid(right / apart, 0.9, 0.1),
        "margin_above_of_the_face_image": 100 * sigmoid(float(eyes[1]) / head, 1.4, 0.1),
        "margin_below_of_the_face_image": 100 * sigmoid((height - float(eyes[1])) / head, 1.8, 0.1),
        "head_pose_yaw": float(yaw),
        "head_pose_pitch": float(pitch),
        "head_pose_roll": float(roll),
    }


def sigmoid(value: float, middle: float, width: float) -> float:
    """The standard's map to 0..1: 1 / (1 + exp((middle - value) / width))."""
    return float(1 / (1 + np.exp(np.clip((middle - value) / width, -60, 60))))
