"""Things before an aligned face: mask, glasses, hand, hair. Flat pictures of them, not the things.

The face of a chip fills about the ellipse below; a share of it is what a strength names.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage

_CENTRE = (56.0, 64.0)
_HALF = (39.0, 54.0)
"""Centre and half axes of the face in a chip of 112 pixels, from the template's five points."""
_EYES_Y, _EYE_X = 51.6, (38.3, 73.5)
_SKINS = ((224, 182, 155), (198, 148, 118), (150, 105, 78), (92, 62, 46))
_HAIRS = ((28, 22, 18), (72, 48, 30), (140, 104, 62), (120, 116, 112))
_MASKS = ((176, 208, 226), (236, 238, 240), (40, 42, 48))


def surgical_mask(chip: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Cloth from the chin upwards until so much of the face is under it."""
    rows, columns = _grid(chip)
    # The upper edge hangs between the ears and rises over the nose.
    edge = _level(percent, from_below=True) - 5 * np.exp(-(((columns - _CENTRE[0]) / 14) ** 2))
    colour = np.array(_MASKS[rng.integers(len(_MASKS))], np.float32)
    folds = 1 - 0.08 * (np.sin(rows / 3.2 + rng.uniform(0, 6)) > 0.85)
    return _laid(chip, _soft(rows - edge) * _inside(rows, columns, 1.12), colour * folds[..., None])


def dark_glasses(chip: RgbImage, percent: float, _: np.random.Generator) -> RgbImage:
    """Two round lenses that let 100 - percent of the light through, in a black frame."""
    rows, columns = _grid(chip)
    lens = np.zeros(chip.shape[:2], np.float32)
    for x in _EYE_X:
        lens = np.maximum(
            lens, _soft(15 - np.hypot((columns - x) * 0.92, (rows - _EYES_Y - 2) * 1.15))
        )
    bridge = _soft(2 - np.abs(rows - _EYES_Y + 2)) * _soft(8 - np.abs(columns - _CENTRE[0]))
    rim = np.clip(_ring(rows, columns) + bridge, 0, 1)
    through = np.asarray(chip, np.float32) * (1 - 0.97 * percent / 100)
    worn = chip * (1 - lens[..., None]) + through * lens[..., None]
    return _laid(np.asarray(worn, np.uint8), rim, np.full(3, 22, np.float32))


def hand(chip: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Fingers from the left or the right until so much of the face is under them."""
    rows, columns = _grid(chip)
    if rng.random() < 0.5:
        columns = len(chip) - 1 - columns
    phase = rng.uniform(0, 22)
    fingers = 6 * np.abs(np.cos(np.pi * (rows + phase) / 22))
    cover = _soft(_reach(percent) + fingers - 4 - columns)
    colour = np.array(_SKINS[rng.integers(len(_SKINS))], np.float32)
    shade = 0.72 + 0.28 * np.abs(np.cos(np.pi * (rows + phase) / 22)) ** 0.5
    return _laid(chip, cover, colour * shade[..., None])


def fringe(chip: RgbImage, percent: float, rng: np.random.Generator) -> RgbImage:
    """Strands from above until so much of the face is under them."""
    rows, _ = _grid(chip)
    ends = cv2.GaussianBlur(rng.normal(0, 1, (1, len(chip))).astype(np.float32), (0, 0), 2.0)[0]
    ends = 5 * ends / max(float(np.abs(ends).max()), 1e-6)
    strands = cv2.GaussianBlur(rng.normal(0, 1, (1, len(chip))).astype(np.float32), (0, 0), 0.8)[0]
    colour = np.array(_HAIRS[rng.integers(len(_HAIRS))], np.float32)
    tint = np.clip(1 + 0.35 * strands, 0.4, 1.8)[None, :, None]
    cover = _soft(_level(percent, from_below=False) + ends[None, :] - rows)
    return _laid(chip, cover, colour * tint)


def _grid(chip: RgbImage) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows, columns = np.mgrid[: len(chip), : len(chip)].astype(np.float32)
    return rows, columns


def _level(percent: float, *, from_below: bool) -> float:
    """The row beyond which so many per cent of the face ellipse lie."""
    height = _quantile(percent)
    return _CENTRE[1] + _HALF[1] * (-height if from_below else height)


def _reach(percent: float) -> float:
    """The column up to which so many per cent of the face ellipse lie."""
    return _CENTRE[0] + _HALF[0] * _quantile(percent)


def _quantile(percent: float) -> float:
    """Where a cut across the unit disc leaves so many per cent of it on its near side; in [-1, 1]."""
    heights = np.linspace(-1, 1, 2001)
    share = 0.5 + (heights * np.sqrt(1 - heights**2) + np.arcsin(heights)) / np.pi
    return float(np.interp(percent / 100, share, heights))


def _inside(
    rows: NDArray[np.float32], columns: NDArray[np.float32], grow: float
) -> NDArray[np.float32]:
    radius = np.hypot(
        (columns - _CENTRE[0]) / (_HALF[0] * grow), (rows - _CENTRE[1]) / (_HALF[1] * grow)
    )
    return _soft((1 - radius) * _HALF[0])


def _ring(rows: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    ring = np.zeros(rows.shape, np.float32)
    for x in _EYE_X:
        away = np.hypot((columns - x) * 0.92, (rows - _EYES_Y - 2) * 1.15)
        ring = np.maximum(ring, _soft(1.6 - np.abs(away - 15)))
    return ring


def _soft(distance: NDArray[np.floating]) -> NDArray[np.float32]:
    """An edge one pixel wide: 0 outside, 1 inside."""
    return np.asarray(np.clip(distance + 0.5, 0, 1), np.float32)


def _laid(chip: RgbImage, cover: NDArray[np.float32], thing: NDArray[np.floating]) -> RgbImage:
    alpha = cover[..., None]
    return np.asarray(np.clip(chip * (1 - alpha) + thing * alpha, 0, 255), np.uint8)
