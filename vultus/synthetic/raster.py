"""A z-buffer in numpy: which triangle covers which pixel, and where in it.

Every triangle is cut into spans, one a row of pixels; the ends of a span follow from the three edges,
so that no pixel is tested which is not covered. Numbers a fragment lie in arrays of their own
(channel first), for numpy is quick along a long axis and slow along one of three.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Index = NDArray[np.int64]
_Doubles = NDArray[np.float64]
_SLACK = 1e-5
"""A weight may be this far below zero: no gap between neighbours."""


@dataclass(frozen=True)
class Fragments:
    """The visible pixels of a mesh, N of them, in the order of the picture.

    pixel int64 [N] = y * width + x; triangle int64 [N]; weights float32 [3, N]; depth float32 [N].
    """

    pixel: Index
    triangle: Index
    weights: Floats
    depth: Floats

    def of(self, chosen: NDArray[np.bool_] | Index) -> "Fragments":
        """Some of them: bool [N], or their positions int64."""
        index = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        return Fragments(
            self.pixel.take(index),
            self.triangle.take(index),
            self.weights.take(index, axis=1),
            self.depth.take(index),
        )

    def interpolate(self, triangles: Ints, values: Floats) -> Floats:
        """Values at the vertices, float32 [V, C], blended at every pixel: float32 [C, N]."""
        corners = [triangles[:, k].take(self.triangle).astype(np.int64) for k in range(3)]
        blended = np.empty((values.shape[1], len(self.pixel)), np.float32)
        piece = np.empty(len(self.pixel), np.float32)
        for channel, total in zip(np.ascontiguousarray(values.T), blended, strict=True):
            # `clip` spares numpy a buffer; the indices are right.
            channel.take(corners[0], out=total, mode="clip")
            total *= self.weights[0]
            for corner, weight in zip(corners[1:], self.weights[1:], strict=True):
                channel.take(corner, out=piece, mode="clip")
                np.multiply(piece, weight, out=piece)
                total += piece
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
    spans = _spans(points, depth, triangles, width, height, both_sides)
    pixel, far, span = _cover(spans)
    nearest = np.full(width * height, np.inf, np.float32)
    np.minimum.at(nearest, pixel, far)
    leading = np.flatnonzero(far == nearest.take(pixel))[::-1]
    best = np.full(width * height, -1, np.int64)
    best[pixel.take(leading)] = leading  # of equals the first: it is written last
    seen = np.flatnonzero(best >= 0)
    span = span.take(best.take(seen))
    along = (seen - spans.first.take(span)).astype(np.float32)
    weights = np.empty((3, len(seen)), np.float32)
    for weight, start, step in zip(weights[:2], spans.weights, spans.weight_steps, strict=True):
        np.multiply(along, step.take(span), out=weight)
        weight += start.take(span)
    np.subtract(1 - weights[0], weights[1], out=weights[2])
    return Fragments(seen, spans.triangle.take(span), weights, nearest.take(seen))


def nearest_depth(
    points: Floats, depth: Floats, triangles: Ints, width: int, height: int
) -> Floats:
    """The depth of what is nearest, either side: float32 [height, width], +inf where nothing is.

    Args: as those of `rasterise`.
    """
    pixel, far, _ = _cover(_spans(points, depth, triangles, width, height, True))
    nearest = np.full(width * height, np.inf, np.float32)
    np.minimum.at(nearest, pixel, far)
    return nearest.reshape(height, width)


@dataclass(frozen=True)
class _Spans:
    """Runs of pixels of one row and one triangle, S of them.

    first int64 [S], pixel number; length int64 [S]; triangle int64 [S]; depth float32 [S] at the first
    pixel, depth_step float32 [S] a pixel; weights float32 [2, S] of the first two corners, and steps.
    """

    first: Index
    length: Index
    triangle: Index
    depth: Floats
    depth_step: Floats
    weights: Floats
    weight_steps: Floats


def _spans(
    points: Floats, depth: Floats, triangles: Ints, width: int, height: int, both_sides: bool
) -> _Spans:
    corner = triangles.T
    x, y = points[:, 0][corner].astype(np.float64), points[:, 1][corner].astype(np.float64)
    area = (x[1] - x[0]) * (y[2] - y[0]) - (y[1] - y[0]) * (x[2] - x[0])
    left, right = _pixels_between(x.min(0), x.max(0), width)
    top, bottom = _pixels_between(y.min(0), y.max(0), height)
    seen = (np.abs(area) > 1e-8) if both_sides else (area < -1e-8)
    index = np.flatnonzero(seen & (left <= right) & (top <= bottom))
    origin, step_x, step_y = _planes(x[:, index], y[:, index], area[index])
    rows = (bottom - top + 1).take(index)
    of = np.repeat(np.arange(len(index)), rows)
    row = np.arange(len(of)) + (top.take(index) - np.cumsum(rows) + rows).take(of)
    start, end = left.take(index).take(of), right.take(index).take(of)
    at_zero = []
    for edge in range(3):
        weight = origin[edge].take(of) + step_y[edge].take(of) * row
        # Along a level edge the weight is the same all the row: its end lies far off, either way.
        step = np.where(np.abs(step_x[edge]) < 1e-12, 1e-12, step_x[edge]).take(of)
        bound = np.clip((-_SLACK - weight) / step, -2, width + 2)
        start = np.where(step > 0, np.maximum(start, np.ceil(bound).astype(np.int64)), start)
        end = np.where(step < 0, np.minimum(end, np.floor(bound).astype(np.int64)), end)
        at_zero.append(weight)
    kept = np.flatnonzero(end >= start)
    of, row, start, end = (values.take(kept) for values in (of, row, start, end))
    weights = np.stack([at_zero[k].take(kept) + step_x[k].take(of) * start for k in (0, 1)])
    far = depth[corner].astype(np.float64)[:, index]
    towards = far[:2] - far[2]
    return _Spans(
        first=row * width + start,
        length=end - start + 1,
        triangle=index.take(of),
        depth=(far[2].take(of) + (weights * towards.take(of, axis=1)).sum(0)).astype(np.float32),
        depth_step=(step_x[:2] * towards).sum(0).take(of).astype(np.float32),
        weights=weights.astype(np.float32),
        weight_steps=step_x[:2].take(of, axis=1).astype(np.float32),
    )


def _planes(x: _Doubles, y: _Doubles, area: _Doubles) -> tuple[_Doubles, _Doubles, _Doubles]:
    """The weights of T triangles as planes: at the centre of pixel (0, 0), a step right, a step down.

    Args: x, y: corners float64 [3, T]; area: doubled and signed, float64 [T].
    """
    step_x = np.stack([y[1] - y[2], y[2] - y[0], y[0] - y[1]]) / area
    step_y = np.stack([x[2] - x[1], x[0] - x[2], x[1] - x[0]]) / area
    other = [1, 2, 0]
    return step_x * (0.5 - x[other]) + step_y * (0.5 - y[other]), step_x, step_y


def _pixels_between(low: _Doubles, high: _Doubles, count: int) -> tuple[Index, Index]:
    """First and last pixel whose centre lies within, clipped to the picture; empty if last < first."""
    first = np.maximum(np.floor(low - 0.5).astype(np.int64) + 1, 0)
    return first, np.minimum(np.floor(high - 0.5).astype(np.int64), count - 1)


def _cover(spans: _Spans) -> tuple[Index, Floats, Index]:
    """Every pixel of every span, M in all: pixel int64 [M], depth float32 [M], span int64 [M]."""
    span = np.repeat(np.arange(len(spans.length)), spans.length)
    begun = np.cumsum(spans.length) - spans.length
    along = np.arange(len(span)) - begun.take(span)
    far = spans.depth_step.take(span)
    far *= along.astype(np.float32)
    far += spans.depth.take(span)
    return spans.first.take(span) + along, far, span
