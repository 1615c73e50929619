"""A rigid second face worn over the own one, made in the picture from five landmarks."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from vultus.attacks.camera import Linear
from vultus.contracts.arrays import Landmarks


@dataclass(frozen=True)
class MaskMedium:
    """Named parameters of one mask."""

    albedo: tuple[float, float, float]
    uniformity: float
    gloss: float
    flatten: float
    eye_hole: float
    mouth_hole: float
    edge: float
    size: float
    shift: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def sample_mask(rng: np.random.Generator) -> MaskMedium:
    """Draw one mask: latex, resin or paper, in a colour that is nearly skin."""
    tone = (
        np.exp(rng.normal(-1.1, 0.5)) * np.array([1.0, 0.72, 0.56]) * np.exp(rng.normal(0, 0.09, 3))
    )
    return MaskMedium(
        albedo=(float(tone[0]), float(tone[1]), float(tone[2])),
        uniformity=float(rng.uniform(0.45, 0.9)),
        gloss=float(rng.uniform(0.0, 0.5)),
        flatten=float(rng.uniform(1.0, 3.5)),
        eye_hole=float(rng.uniform(0.17, 0.27)),
        mouth_hole=float(rng.uniform(0.0, 0.3)),
        edge=float(rng.uniform(0.1, 0.6)),
        size=float(rng.uniform(0.95, 1.12)),
        shift=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
    )


def mask_of(face: Linear, landmarks: Landmarks, medium: MaskMedium) -> Linear:
    """Dress the face in a mask.

    Args:
        face: linear float32 [H, W, 3], the wearer as the camera would see them.
        landmarks: float32 [5, 2], pixels.
    Returns: float32 [H, W, 3]; the wearer's eyes look through the holes.
    """
    height, width = face.shape[:2]
    eyes = float(np.hypot(*(landmarks[1] - landmarks[0])))
    cover, u, v = _shell(landmarks, medium, (height, width))
    light = cv2.GaussianBlur(face.mean(-1), (0, 0), max(eyes * 0.06 * medium.flatten, 0.5))
    relief = light / max(float(light[cover > 0.5].mean()) if (cover > 0.5).any() else 1.0, 1e-3)
    level = float(face[cover > 0.5].mean()) if (cover > 0.5).any() else 0.3
    albedo = np.array(medium.albedo, np.float32)
    even = albedo / albedo.mean() * level * relief[..., None]
    worn = face + np.float32(medium.uniformity) * (even - face)
    shine = medium.gloss * np.exp(-(((u - 0.12) / 0.16) ** 2 + ((v + 0.45) / 0.22) ** 2))
    shine = shine + 0.6 * medium.gloss * np.exp(
        -(((u + 0.02) / 0.06) ** 2 + ((v - 0.25) / 0.12) ** 2)
    )
    worn = worn + shine[..., None].astype(np.float32) * level
    rim = np.exp(-(((cover - 0.5) / 0.22) ** 2)) * medium.edge
    holes = _holes(landmarks, medium, eyes, (height, width))
    share = (cover * (1 - holes))[..., None]
    rims = np.exp(-(((holes - 0.5) / 0.25) ** 2)) * medium.edge
    dressed = face * (1 - share) + worn * share
    return np.asarray(dressed * (1 - 0.6 * np.maximum(rim, rims))[..., None], np.float32)


def _shell(
    landmarks: Landmarks, medium: MaskMedium, shape: tuple[int, int]
) -> tuple[Linear, Linear, Linear]:
    """Coverage of an oval from forehead to chin, and coordinates on it (u across, v down)."""
    middle_eyes, mouth = landmarks[:2].mean(0), landmarks[3:].mean(0)
    down = mouth - middle_eyes
    length = float(np.hypot(*down)) or 1.0
    down = down / length
    across = np.array([down[1], -down[0]]) * -1
    centre = (
        middle_eyes + down * length * (0.42 + medium.shift[1]) + across * length * medium.shift[0]
    )
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    u = ((x - centre[0]) * across[0] + (y - centre[1]) * across[1]) / (length * 1.05 * medium.size)
    v = ((x - centre[0]) * down[0] + (y - centre[1]) * down[1]) / (length * 1.5 * medium.size)
    radius = np.sqrt(u * u + v * v * (1 + 0.12 * v))
    cover = np.clip((1 - radius) / 0.05 + 0.5, 0, 1)
    return cover.astype(np.float32), u.astype(np.float32), v.astype(np.float32)


def _holes(landmarks: Landmarks, medium: MaskMedium, eyes: float, shape: tuple[int, int]) -> Linear:
    """Where the wearer shows through: two eyes, perhaps the mouth."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    holes = np.zeros(shape, np.float32)
    for point in landmarks[:2]:
        a, b = medium.eye_hole * eyes, medium.eye_hole * eyes * 0.55
        distance = np.sqrt(((x - point[0]) / a) ** 2 + ((y - point[1]) / b) ** 2)
        holes = np.maximum(holes, np.clip((1 - distance) / 0.2 + 0.5, 0, 1))
    if medium.mouth_hole > 0.08:
        point = landmarks[3:].mean(0)
        a, b = 1.4 * medium.mouth_hole * eyes, 0.5 * medium.mouth_hole * eyes
        distance = np.sqrt(((x - point[0]) / a) ** 2 + ((y - point[1]) / b) ** 2)
        holes = np.maximum(holes, np.clip((1 - distance) / 0.2 + 0.5, 0, 1))
    return holes
