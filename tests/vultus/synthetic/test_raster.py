"""The z-buffer against its definition: every pixel's centre tried against every triangle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vultus.synthetic.raster import nearest_depth, rasterise

_WIDTH, _HEIGHT = 13, 9

Mesh = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]


@st.composite
def meshes(draw: st.DrawFn) -> Mesh:
    """Up to eight triangles, some beyond the picture, some thinner than a pixel, some turned away."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 8))
    size = draw(st.sampled_from([0.4, 3.0, 30.0]))
    middle = rng.uniform([-3, -3], [_WIDTH + 3, _HEIGHT + 3], (count, 1, 2))
    corners = middle + rng.normal(0, size, (count, 3, 2))
    if draw(st.booleans()):
        corners = np.rint(corners * 2) / 2  # corners and level edges on the centres themselves
    points = corners.reshape(-1, 2).astype(np.float32)
    depth = rng.uniform(1, 9, 3 * count).astype(np.float32)
    return points, depth, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


@given(meshes(), st.booleans())
def test_the_nearest_triangle_wins_every_pixel(mesh: Mesh, both_sides: bool) -> None:
    points, depth, triangles = mesh
    found = rasterise(points, depth, triangles, _WIDTH, _HEIGHT, both_sides=both_sides)
    expected = _tried(points, depth, triangles, both_sides)
    assert np.array_equal(found.pixel, np.flatnonzero(np.isfinite(expected)))
    assert found.depth == pytest.approx(expected.reshape(-1)[found.pixel], rel=2e-4)
    if both_sides:
        alone = nearest_depth(points, depth, triangles, _WIDTH, _HEIGHT)
        assert np.array_equal(np.isfinite(alone), np.isfinite(expected))
        assert np.array_equal(alone.reshape(-1)[found.pixel], found.depth)


@given(meshes())
def test_weights_lead_back_to_the_pixel(mesh: Mesh) -> None:
    points, depth, triangles = mesh
    found = rasterise(points, depth, triangles, _WIDTH, _HEIGHT)
    row, column = np.divmod(found.pixel, _WIDTH)
    place = found.interpolate(triangles, np.column_stack([points, depth]))
    span = 1 + np.abs(points).max()
    assert np.abs(place[0] - (column + 0.5)).max(initial=0) < 2e-4 * span
    assert np.abs(place[1] - (row + 0.5)).max(initial=0) < 2e-4 * span
    assert np.abs(place[2] - found.depth).max(initial=0) < 2e-3


def test_two_triangles_of_a_rectangle_leave_no_gap() -> None:
    points = np.array([[1.5, 1.5], [11.5, 1.5], [11.5, 7.5], [1.5, 7.5]], np.float32)
    triangles = np.array([[0, 2, 1], [0, 3, 2]], np.int32)
    found = rasterise(points, np.ones(4, np.float32), triangles, _WIDTH, _HEIGHT)
    inside = np.zeros((_HEIGHT, _WIDTH), bool)
    inside[2:8, 2:12] = True  # a centre on the left or upper edge is the neighbour's
    assert np.array_equal(found.pixel, np.flatnonzero(inside))


def _tried(
    points: NDArray[np.float32],
    depth: NDArray[np.float32],
    triangles: NDArray[np.int32],
    both_sides: bool,
) -> NDArray[np.float64]:
    """Depth of the nearest triangle, float64 [H, W], one triangle and one pixel after the other."""
    nearest = np.full((_HEIGHT, _WIDTH), np.inf)
    for a, b, c in triangles:
        system = np.vstack([points[[a, b, c]].astype(np.float64).T, np.ones(3)])
        turned = np.linalg.det(system)
        if abs(turned) <= 1e-8 or (turned > 0 and not both_sides):
            continue
        low, high = points[[a, b, c]].min(0), points[[a, b, c]].max(0)
        for row, column in np.ndindex(_HEIGHT, _WIDTH):
            centre = np.array([column + 0.5, row + 0.5])
            weights = np.linalg.solve(system, np.append(centre, 1.0))
            if (weights >= -1e-5).all() and (low < centre).all() and (centre <= high).all():
                nearest[row, column] = min(nearest[row, column], weights @ depth[[a, b, c]])
    return nearest
