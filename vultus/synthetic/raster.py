"""A z-buffer in numpy: which triangle covers which pixel, and where in it.

All triangles of one size class are tested at once against a little square of pixels; the nearest
candidate of a pixel wins by being written last.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
_CLASSES = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 1024)


@dataclass(frozen=True)
class Fragments:
    """The visible pixels of a mesh, N of them.

    pixel int64 [N] = y * width + x; triangle int32 [N]; weights float32 [N, 3]; depth float32 [N].
    """

    pixel: NDArray[np.int64]
    triangle: Ints
    weights: Floats
    depth: Floats

    def interpolate(self, triangles: Ints, values: Floats) -> Floats:
        """Values at the vertices, float32 [V, C], blended at every pixel: float32 [N, C]."""
        corner = triangles[self.triangle]
        blended = values[corner[:, 0]] * self.weights[:, :1]
        blended += values[corner[:, 1]] * self.weights[:, 1:2]
        blended += values[corner[:, 2]] * self.weights[:, 2:]
        return blended


def rasterise(
    points: Floats,
    depth: Floats,
    triangles: Ints,
    width: int,
    height: int,
    *,
    both_sides: bool = False,
) -> Fragments:
    """Find the nearest triangle of every pixel.

    Args:
        points: float32 [V, 2], pixels, y down; pixel (i, j) is sampled at (j + 0.5, i + 0.5).
        depth: float32 [V], distance from the camera, smaller is nearer.
        triangles: int32 [T, 3], counter-clockwise seen from the front (y up).
        width, height: of the picture.
        both_sides: keep triangles that turn their back, too.
    """
    corner = points[triangles]
    low, high = corner.min(1), corner.max(1)
    edge1, edge2 = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    area = edge1[:, 0] * edge2[:, 1] - edge1[:, 1] * edge2[:, 0]
    seen = (np.abs(area) > 1e-8) if both_sides else (area < -1e-8)
    seen &= (high[:, 0] > 0) & (high[:, 1] > 0) & (low[:, 0] < width) & (low[:, 1] < height)
    chosen = np.flatnonzero(seen)
    first = np.floor(low[chosen] - 0.5).astype(np.int32) + 1
    last = np.floor(high[chosen] - 0.5).astype(np.int32)
    first, last = np.maximum(first, 0), np.minimum(last, [width - 1, height - 1])
    size = (last - first).max(1) + 1
    parts: list[tuple[NDArray[np.int64], Ints, Floats, Floats]] = []
    lower = 0
    for upper in _CLASSES:
        members = (size > lower) & (size <= upper)
        lower = upper
        if members.any():
            index = chosen[members].astype(np.int32)
            parts.append(
                _test(corner[index], area[index], depth[triangles[index]], index, first[members], upper,
                      width, height)
            )  # fmt: skip
    return _nearest(parts)


def _test(
    corner: Floats,
    area: Floats,
    depth: Floats,
    index: Ints,
    first: Ints,
    side: int,
    width: int,
    height: int,
) -> tuple[NDArray[np.int64], Ints, Floats, Floats]:
    """All pixels of a side x side square against their triangle."""
    step = np.arange(side, dtype=np.int32)
    x = (first[:, 0, None] + step)[:, None, :]
    y = (first[:, 1, None] + step)[:, :, None]
    px, py = x + np.float32(0.5), y + np.float32(0.5)

    def edge(a: int, b: int) -> Floats:
        ax, ay = corner[:, a, 0, None, None], corner[:, a, 1, None, None]
        bx, by = corner[:, b, 0, None, None], corner[:, b, 1, None, None]
        return np.asarray((bx - ax) * (py - ay) - (by - ay) * (px - ax), np.float32)

    scale = 1 / area[:, None, None]
    w0, w1 = edge(1, 2) * scale, edge(2, 0) * scale
    w2 = 1 - w0 - w1
    inside = (w0 >= -1e-5) & (w1 >= -1e-5) & (w2 >= -1e-5) & (x < width) & (y < height)
    which, row, column = np.nonzero(inside)
    weights = np.stack([w0[inside], w1[inside], w2[inside]], axis=1).astype(np.float32)
    pixel = (first[which, 1] + row).astype(np.int64) * width + first[which, 0] + column
    return (
        pixel,
        index[which],
        weights,
        np.einsum("ij,ij->i", weights, depth[which]).astype(np.float32),
    )


def _nearest(parts: list[tuple[NDArray[np.int64], Ints, Floats, Floats]]) -> Fragments:
    if not parts:
        none = np.zeros
        return Fragments(
            none(0, np.int64), none(0, np.int32), none((0, 3), np.float32), none(0, np.float32)
        )
    pixel, triangle, weights, depth = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.lexsort((depth, pixel))
    sorted_pixel = pixel[order]
    lead = np.ones(len(order), bool)
    lead[1:] = sorted_pixel[1:] != sorted_pixel[:-1]
    best = order[lead]
    return Fragments(pixel[best], triangle[best], weights[best].astype(np.float32), depth[best])
