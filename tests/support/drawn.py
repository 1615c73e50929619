"""Drawn pictures in which the real detector finds exactly one face."""

import cv2
import numpy as np

from support.crops import draw_scene
from vultus.contracts.arrays import RgbImage
from vultus.faces.picture import encode_jpeg

FOUND = (1, 3, 19, 7, 8, 10)
"""Subjects whose drawn face the published MTCNN nets take for one (seen, not reasoned)."""


def drawn_face(subject: int = 0, *, light: float = 1.0, tight: bool = False) -> RgbImage:
    """One face. subject: place in FOUND; light: factor on all pixels; tight: the
    face fills the picture, beyond its edges."""
    scene, box = draw_scene(FOUND[subject])
    if tight:
        x1, y1, x2, y2 = box
        less = (x2 - x1) // 10
        inner = scene[y1 + less : y2 - less, x1 + less : x2 - less]
        scene = cv2.resize(inner, (192, 192), interpolation=cv2.INTER_LINEAR)
    return np.clip(scene * light, 0, 255).astype(np.uint8)


def two_faces() -> RgbImage:
    """Two people side by side, equally large."""
    return np.concatenate([drawn_face(0), drawn_face(1)], axis=1)


def no_face(side: int = 160) -> RgbImage:
    """A grey wall."""
    return np.full((side, side, 3), 128, np.uint8)


def as_file(image: RgbImage) -> bytes:
    """A JPEG file."""
    return encode_jpeg(image, 95)
