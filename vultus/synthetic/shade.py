"""Light on surfaces, in linear RGB: key with shadows, fill, room, and a soft skin look."""

from dataclasses import dataclass

import cv2
import numpy as np

from vultus.synthetic.asset import Floats, Ints
from vultus.synthetic.raster import rasterise
from vultus.synthetic.scene import Light, direction
from vultus.synthetic.stage import light_frame

_SKIN_WRAP = np.array([0.4, 0.22, 0.16], np.float32)
"""Red light travels furthest in skin: the terminator of a face is soft and warm."""
_SHADOW_SIDE = 160
_SHADOW_BIAS_DM = 0.045


@dataclass(frozen=True)
class Shadow:
    """What the key light sees: nearest distance on a grid, smoothed look-ups."""

    frame: Floats
    low: Floats
    scale: float
    nearest: Floats

    def lit(self, positions: Floats, softness: float) -> Floats:
        """Share of the key light that arrives, float32 [N]."""
        seen = positions @ self.frame.T
        x = (seen[:, 0] - self.low[0]) * self.scale
        y = (seen[:, 1] - self.low[1]) * self.scale
        depth = -seen[:, 2]
        radius = 0.6 + 2.2 * softness
        total = np.zeros(len(positions), np.float32)
        taps = ((0.0, 0.0), (1, 0.4), (-1, -0.4), (0.4, -1), (-0.4, 1), (0.8, 0.9), (-0.8, -0.9))
        for dx, dy in taps:
            column = np.clip(x + radius * dx, 0, _SHADOW_SIDE - 1).astype(np.int32)
            row = np.clip(y + radius * dy, 0, _SHADOW_SIDE - 1).astype(np.int32)
            gap = depth - self.nearest[row, column] - _SHADOW_BIAS_DM
            total += 1 - np.clip(gap / 0.05, 0, 1)
        return np.asarray(total / len(taps), np.float32)


def shadow_of(posed: Floats, triangles: Ints, towards: Floats) -> Shadow:
    """Look at the scene from the light. posed float32 [V, 3]; triangles int32 [T, 3]."""
    frame = light_frame(towards)
    seen = posed @ frame.T
    low, high = seen[:, :2].min(0) - 0.05, seen[:, :2].max(0) + 0.05
    scale = (_SHADOW_SIDE - 1) / float((high - low).max())
    points = ((seen[:, :2] - low) * scale).astype(np.float32)
    found = rasterise(points, -seen[:, 2], triangles, _SHADOW_SIDE, _SHADOW_SIDE, both_sides=True)
    nearest = np.full(_SHADOW_SIDE * _SHADOW_SIDE, 1e6, np.float32)
    nearest[found.pixel] = found.depth
    return Shadow(frame, low.astype(np.float32), scale, nearest.reshape(_SHADOW_SIDE, _SHADOW_SIDE))


def skin_light(normals: Floats, lit: Floats, ambient: Floats, light: Light) -> Floats:
    """Diffuse light that leaves skin of albedo 1, float32 [N, 3].

    Args: normals float32 [N, 3]; lit, ambient: shares float32 [N] in [0, 1].
    """
    key = normals @ light.towards
    fill = normals @ direction(light.fill_azimuth_deg, 15)
    wrapped = np.clip((key[:, None] + _SKIN_WRAP) / (1 + _SKIN_WRAP), 0, 1) ** 1.3
    shade = lit[:, None] ** np.array([0.75, 1.0, 1.0], np.float32)
    total = wrapped * shade * light.key_colour
    total += np.clip(fill, 0, 1)[:, None] * np.array(light.fill, np.float32) * ambient[:, None]
    return np.asarray(total + room_light(normals, light) * ambient[:, None], np.float32)


def plain_light(normals: Floats, lit: Floats, ambient: Floats, light: Light) -> Floats:
    """Diffuse light that leaves cloth or hair of albedo 1, float32 [N, 3]."""
    key = np.clip(normals @ light.towards, 0, 1)
    fill = np.clip(normals @ direction(light.fill_azimuth_deg, 15), 0, 1)
    total = (key * lit)[:, None] * light.key_colour
    total += (fill * ambient)[:, None] * np.array(light.fill, np.float32)
    return np.asarray(total + room_light(normals, light) * ambient[:, None], np.float32)


def room_light(normals: Floats, light: Light) -> Floats:
    """Sky above, ground below, float32 [N, 3]."""
    up = (normals[:, 1:2] + 1) / 2
    return np.asarray(
        up * np.array(light.sky, np.float32) + (1 - up) * np.array(light.ground, np.float32),
        np.float32,
    )


def gleam(normals: Floats, view: Floats, towards: Floats, sharpness: float) -> Floats:
    """Blinn-Phong highlight with a Fresnel rise at the rim, float32 [N]."""
    half = view + towards
    half /= np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-6)
    facing = np.clip((normals * half).sum(1), 0, 1) ** sharpness
    rim = 0.05 + 0.2 * (1 - np.clip((normals * view).sum(1), 0, 1)) ** 5
    return np.asarray(facing * rim, np.float32)


def occlusion(depth: Floats, unit_px: float) -> Floats:
    """How much of the room a pixel sees, from the depth picture alone, float32 [H, W] in [0.3, 1].

    Args: depth: decimetres, +inf for the background; unit_px: pixels a decimetre.
    """
    far = np.where(
        np.isfinite(depth), depth, np.nanmax(np.where(np.isfinite(depth), depth, np.nan))
    )
    far = far.astype(np.float32)
    total = np.zeros_like(far)
    for radius_dm, weight in ((0.08, 1.6), (0.22, 1.3)):
        around = cv2.GaussianBlur(far, (0, 0), max(radius_dm * unit_px, 0.8))
        total += weight * np.clip((far - around) / radius_dm, 0, 1)
    return np.asarray(np.clip(1 - total, 0.3, 1), np.float32)
