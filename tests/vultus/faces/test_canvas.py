"""The scales of an image lie on one canvas and do not see one another."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from support.pictures import scene
from vultus.faces.canvas import CELL, STRIDE, painted, plan_for
from vultus.faces.octaves import Octaves

sizes = st.integers(12, 700)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, st.integers(12, 60))
def test_levels_lie_apart_inside_the_canvas(height: int, width: int, face: int) -> None:
    plan = plan_for(height, width, face, 0.709)
    if plan is None:
        assert min(height, width) <= face  # equal: the scale's rounding decides
        return
    taken = np.zeros((plan.height, plan.width), int)
    for x, y, w, h in plan.places:
        assert x % 2 == y % 2 == 0
        assert x + w <= plan.width
        assert y + h <= plan.height
        taken[y : y + h, x : x + w] += 1
    assert taken.max() == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(60, 400), st.integers(60, 400))
def test_a_cell_sees_its_own_level_and_names_its_place(height: int, width: int) -> None:
    plan = plan_for(height, width, 40, 0.709)
    assert plan is not None
    for row, column in np.argwhere(plan.level >= 0)[::7]:
        number = plan.level[row, column]
        x, y, w, h = plan.places[number]
        left, top = column * STRIDE - x, row * STRIDE - y
        # An odd level's last cell may look one pixel beyond it, as its own pooling would.
        assert 0 <= left <= w + w % 2 - CELL
        assert 0 <= top <= h + h % 2 - CELL
        box = plan.boxes[row, column]
        np.testing.assert_allclose(box[:2] * plan.scales[number], [left + 1, top + 1], rtol=1e-5)
        np.testing.assert_allclose(box[2:] - box[:2], (CELL - 1) / plan.scales[number], rtol=1e-4)


def test_the_canvas_shows_the_picture_at_every_scale() -> None:
    image = scene(240, 320)
    plan = plan_for(240, 320, 40, 0.709)
    assert plan is not None
    canvas = painted(Octaves(image), plan)
    for x, y, w, h in plan.places:
        part = canvas[y : y + h, x : x + w].astype(float)
        assert abs(part.mean() - image.mean()) < 2


def test_a_crop_of_the_whole_is_the_whole() -> None:
    image = scene(64, 64)
    box = np.array([[0, 0, 64, 64]], np.float32)
    np.testing.assert_array_equal(Octaves(image).crops(box, 64)[0], image)


def test_a_crop_is_the_mean_of_what_it_covers_and_black_outside() -> None:
    image = np.full((200, 301, 3), 90, np.uint8)
    image[:, 150:] = 200
    boxes = np.array(
        [[20, 20, 140, 140], [160, 10, 300, 150], [-400, -400, -200, -200]], np.float32
    )
    for samples in (1, 2):
        crops = Octaves(image).crops(boxes, 24, samples=samples)
        assert crops.shape == (3, 24, 24, 3)
        assert [int(crop.mean()) for crop in crops] == [90, 200, 0]
