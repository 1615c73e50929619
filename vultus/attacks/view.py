"""How a flat thing is held before a camera: distance, tilt, what is seen beside it."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.attacks.camera import Linear
from vultus.contracts.arrays import Box


@dataclass(frozen=True)
class Hold:
    """A sheet or screen in the camera's picture; shares of the picture's sides, degrees."""

    fill: float
    shift_x: float
    shift_y: float
    roll_deg: float
    tilt_x: float
    tilt_y: float
    bend: float

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def sample_hold(rng: np.random.Generator) -> Hold:
    """About a third fill the picture (no edge to see); the others show their borders."""
    tight = rng.random() < 0.35
    return Hold(
        fill=float(rng.uniform(1.15, 1.5) if tight else rng.uniform(0.72, 1.02)),
        shift_x=float(rng.uniform(-0.06, 0.06)),
        shift_y=float(rng.uniform(-0.06, 0.06)),
        roll_deg=float(rng.normal(0, 3)),
        tilt_x=float(rng.normal(0, 0.05)),
        tilt_y=float(rng.normal(0, 0.05)),
        bend=float(rng.normal(0, 0.02)),
    )


def homography(hold: Hold, source: tuple[int, int], target: tuple[int, int]) -> NDArray[np.float64]:
    """From pixels of the held picture to pixels of the new one.

    Args: source, target: (height, width). Returns: float64 [3, 3].
    """
    (sh, sw), (th, tw) = source, target
    scale = hold.fill * min(tw / sw, th / sh)
    corners = np.array([[-sw, -sh], [sw, -sh], [sw, sh], [-sw, sh]], np.float64) / 2 * scale
    angle = np.radians(hold.roll_deg)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = corners @ turn.T
    depth = 1 + corners[:, :1] / tw * hold.tilt_x * 2 + corners[:, 1:] / th * hold.tilt_y * 2
    corners = corners / depth + [tw * (0.5 + hold.shift_x), th * (0.5 + hold.shift_y)]
    flat = np.array([[0, 0], [sw, 0], [sw, sh], [0, sh]], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(flat, corners.astype(np.float32)), np.float64)


def moved_box(box: Box, matrix: NDArray[np.float64], shape: tuple[int, int]) -> Box:
    """The upright box around a box that went through a homography, clipped. float32 [4]."""
    x1, y1, x2, y2 = (float(value) for value in box)
    corners = np.array([[[x1, y1], [x2, y1], [x2, y2], [x1, y2]]], np.float64)
    moved = cv2.perspectiveTransform(corners, matrix)[0]
    low, high = moved.min(0), moved.max(0)
    limit = np.array([shape[1], shape[0]], np.float64)
    return np.concatenate([np.clip(low, 0, limit), np.clip(high, 0, limit)]).astype(np.float32)


def lay_over(
    background: Linear, picture: Linear, matrix: NDArray[np.float64], cover: Linear | None = None
) -> Linear:
    """Put a picture into the camera's view, edges softened by the lens.

    Args: cover: float32 [h, w] in [0, 1], opaque without one.
    """
    height, width = background.shape[:2]
    if cover is None:
        cover = np.ones(picture.shape[:2], np.float32)
    warped = cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_AREA)
    share = cv2.warpPerspective(cover, matrix, (width, height), flags=cv2.INTER_LINEAR)[..., None]
    return np.asarray(background * (1 - share) + warped * share, np.float32)


def room_behind(rng: np.random.Generator, shape: tuple[int, int]) -> Linear:
    """A blurred room, linear RGB float32 [H, W, 3]."""
    level = float(np.exp(rng.uniform(np.log(0.05), np.log(0.5))))
    cells = rng.random((int(rng.integers(2, 7)), int(rng.integers(2, 7)), 3), dtype=np.float32)
    grey = cells.mean(-1, keepdims=True)
    muted = level * (0.35 + grey + 0.4 * (cells - grey))
    room = cv2.resize(muted, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(room, 0.003), np.float32)


def glare(rng: np.random.Generator, shape: tuple[int, int], strength: float) -> Linear:
    """A soft bright patch and a veil, to be added to a glossy surface. float32 [H, W, 1]."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    cx, cy = rng.uniform(-0.1, 1.1) * width, rng.uniform(-0.1, 1.1) * height
    a, b = rng.uniform(0.08, 0.4, 2) * max(shape)
    turn = rng.uniform(0, np.pi)
    u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
    v = -(x - cx) * np.sin(turn) + (y - cy) * np.cos(turn)
    patch = np.exp(-((u / a) ** 2 + (v / b) ** 2))
    return np.asarray(strength * (patch + 0.08), np.float32)[..., None]
