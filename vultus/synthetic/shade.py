"""Light on surfaces, in linear RGB: key with shadows, fill, room, and a soft skin look."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats, Ints
from vultus.synthetic.raster import nearest_depth
from vultus.synthetic.scene import Light, direction
from vultus.synthetic.stage import light_frame

_SKIN_WRAP = np.array([0.4, 0.22, 0.16], np.float32)
"""Red light travels furthest in skin: the terminator of a face is soft and warm."""
_SHADOW_SIDE = 160
_SHADOW_MARGIN = 4
"""Cells around the shadow's grid, so that no look-up needs a bound."""
_SHADOW_BIAS_DM = 0.045
_TAPS = ((0.0, 0.0), (1, 0.4), (-1, -0.4), (0.4, -1), (-0.4, 1), (0.8, 0.9), (-0.8, -0.9))


@dataclass(frozen=True)
class Shadow:
    """What the key light sees: nearest distance on a grid with a margin, smoothed look-ups."""

    frame: Floats
    low: Floats
    scale: float
    nearest: Floats

    def lit(self, positions: Floats, softness: float) -> Floats:
        """Share of the key light that arrives, float32 [N]. positions: float32 [3, N]."""
        seen = self.frame @ positions
        x, y = (seen[:2] - self.low[:, None]) * np.float32(self.scale) + _SHADOW_MARGIN
        reach = -(seen[2] + np.float32(_SHADOW_BIAS_DM))
        radius = 0.6 + 2.2 * softness
        side = self.nearest.shape[1]
        total = np.full(len(x), len(_TAPS), np.float32)
        for dx, dy in _TAPS:
            cell = (y + np.float32(radius * dy)).astype(np.int64)
            cell *= side
            cell += (x + np.float32(radius * dx)).astype(np.int64)
            gap = reach - self.nearest.reshape(-1).take(cell)
            gap *= np.float32(1 / 0.05)
            total -= np.clip(gap, 0, 1, out=gap)
        total *= np.float32(1 / len(_TAPS))
        return total


def shadow_of(posed: Floats, triangles: Ints, towards: Floats) -> Shadow:
    """Look at the scene from the light. posed float32 [V, 3]; triangles int32 [T, 3]."""
    frame = light_frame(towards)
    seen = posed @ frame.T
    low, high = seen[:, :2].min(0) - 0.05, seen[:, :2].max(0) + 0.05
    scale = (_SHADOW_SIDE - 1) / float((high - low).max())
    points = ((seen[:, :2] - low) * scale).astype(np.float32)
    nearest = nearest_depth(points, -seen[:, 2], triangles, _SHADOW_SIDE, _SHADOW_SIDE)
    nearest = np.pad(np.minimum(nearest, np.float32(1e6)), _SHADOW_MARGIN, mode="edge")
    return Shadow(frame, low.astype(np.float32), scale, nearest)


def skin_light(normals: Floats, lit: Floats, ambient: Floats, light: Light) -> Floats:
    """Diffuse light that leaves skin of albedo 1, float32 [3, N].

    Args: normals float32 [3, N]; lit, ambient: shares float32 [N] in [0, 1].
    """
    key = light.towards @ normals
    wrapped = (key + _SKIN_WRAP[:, None]) / (1 + _SKIN_WRAP[:, None])
    total = np.clip(wrapped, 0, 1, out=wrapped) ** np.float32(1.3)
    root = np.sqrt(lit)
    total[0] *= root * np.sqrt(root)  # the shadow's edge is redder: lit ** 0.75
    total[1:] *= lit
    total *= light.key_colour[:, None]
    total += _indirect(normals, ambient, light)
    return total


def plain_light(normals: Floats, lit: Floats, ambient: Floats, light: Light) -> Floats:
    """Diffuse light that leaves cloth or hair of albedo 1, float32 [3, N].

    Args: as those of `skin_light`.
    """
    key = np.clip(light.towards @ normals, 0, 1)
    total = light.key_colour[:, None] * (key * lit)
    total += _indirect(normals, ambient, light)
    return np.asarray(total, np.float32)


def _indirect(normals: Floats, ambient: Floats, light: Light) -> Floats:
    """Fill and room, as far as they arrive, float32 [3, N]."""
    fill = np.clip(direction(light.fill_azimuth_deg, 15) @ normals, 0, 1)
    total = room_light(normals, light)
    total += np.array(light.fill, np.float32)[:, None] * fill
    total *= ambient
    return total


def room_light(normals: Floats, light: Light) -> Floats:
    """Sky above, ground below, float32 [3, N]."""
    sky, ground = np.array(light.sky, np.float32), np.array(light.ground, np.float32)
    up = (normals[1] + 1) / 2
    return np.asarray((sky - ground)[:, None] * up + ground[:, None], np.float32)


def gleam(normals: Floats, towards: Floats, lobes: Mapping[int, float]) -> Floats:
    """Blinn-Phong highlights with a Fresnel rise at the rim, seen from the camera, float32 [N].

    Args: normals float32 [3, N]; towards: the light, float32 [3]; lobes: sharpness -> weight.
    """
    half = towards + np.array([0, 0, 1], np.float32)
    half /= max(float(np.linalg.norm(half)), 1e-6)
    facing = np.clip(half @ normals, 0, 1)
    total = np.zeros_like(facing)
    for sharpness, weight in lobes.items():
        total += np.float32(weight) * _power(facing, sharpness)
    rim = _power(1 - np.clip(normals[2], 0, 1), 5)
    return np.asarray(total * (np.float32(0.05) + np.float32(0.2) * rim), np.float32)


def _power(base: Floats, exponent: int) -> Floats:
    """A whole power, by squaring."""
    result, square = np.ones_like(base), base
    while exponent:
        if exponent & 1:
            result = result * square
        exponent >>= 1
        if exponent:
            square = square * square
    return result


def occlusion(depth: Floats, pixel: NDArray[np.int64], unit_px: float) -> Floats:
    """How much of the room is seen from a pixel, from the depth picture alone, float32 [N], 0.3 to 1.

    Args:
        depth: float32 [H, W], decimetres, +inf for the background.
        pixel: int64 [N], numbers of the pixels that are asked for, none of them background.
        unit_px: pixels a decimetre.
    """
    here = depth.reshape(-1).take(pixel)
    far = np.minimum(depth, here.max())
    seen = np.ones(len(pixel), np.float32)
    for radius_dm, weight in ((0.08, 1.6), (0.22, 1.3)):
        around = _blurred(far, max(radius_dm * unit_px, 0.8)).reshape(-1).take(pixel)
        hollow = np.clip((here - around) * np.float32(1 / radius_dm), 0, 1)
        seen -= np.float32(weight) * hollow
    return np.asarray(np.clip(seen, 0.3, 1), np.float32)


def _blurred(picture: Floats, sigma: float) -> Floats:
    """A wide Gaussian blur, done on a smaller picture: float32 [H, W].

    Shrinking (a box of n pixels) and growing again (a tent) blur by variances of n²/12 and n²/6.
    """
    shrink = 2 ** int(np.log2(max(sigma / 2.5, 1)))
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    height, width = picture.shape
    size = (-(-width // shrink), -(-height // shrink))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    rest = float(np.sqrt(sigma**2 - shrink**2 / 4)) / shrink
    small = cv2.GaussianBlur(small, (0, 0), rest)
    return np.asarray(cv2.resize(small, (width, height)), np.float32)
