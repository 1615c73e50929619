"""Laws of boxes, alignment, context and tensors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.contracts.transform import ChipWindow, RecognitionTransform, TensorParams
from vultus.contracts.words import ContextKind
from vultus.errors import DegenerateLandmarks, TransformMismatch
from vultus.faces.alignment import ARCFACE_TEMPLATE, align, similarity
from vultus.faces.boxes import nms, overlap, squared
from vultus.faces.context import context_crop, room, window
from vultus.faces.pose import pose_deg
from vultus.faces.tensor import chip_tensor, pad_tensor, to_tensor

sides = st.floats(4, 200)
places = st.floats(-50, 300)


@given(st.lists(st.tuples(places, places, sides, sides), min_size=1, max_size=12))
def test_nms_keeps_the_best_and_no_two_that_overlap(boxes: list[tuple[float, ...]]) -> None:
    array = np.array([[x, y, x + w, y + h] for x, y, w, h in boxes], np.float32)
    scores = np.linspace(0, 1, len(array), dtype=np.float32)
    kept = nms(array, scores, 0.5)
    assert kept[0] == len(array) - 1
    shared = overlap(array[kept], array[kept])
    np.fill_diagonal(shared, 0)
    assert shared.max(initial=0) <= 0.5


@given(places, places, sides, sides)
def test_a_squared_box_keeps_its_centre(x: float, y: float, w: float, h: float) -> None:
    box = np.array([[x, y, x + w, y + h]], np.float32)
    square = squared(box)
    np.testing.assert_allclose(square[:, :2] + square[:, 2:], box[:, :2] + box[:, 2:], atol=1e-2)
    np.testing.assert_allclose(square[0, 2] - square[0, 0], max(w, h), rtol=1e-3)


@given(st.floats(-3, 3), st.floats(0.3, 4), places, places)
def test_similarity_undoes_a_similarity(angle: float, scale: float, dx: float, dy: float) -> None:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (ARCFACE_TEMPLATE @ turn.T + [dx, dy]).astype(np.float32)
    matrix = similarity(moved, ARCFACE_TEMPLATE)
    back = moved @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, ARCFACE_TEMPLATE, atol=0.02)


def test_landmarks_on_the_template_give_the_picture_back() -> None:
    image = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    np.testing.assert_array_equal(align(image, ARCFACE_TEMPLATE), image)


def test_coinciding_landmarks_are_refused() -> None:
    with pytest.raises(DegenerateLandmarks):
        align(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 20, np.float32))


@settings(max_examples=60)
@given(places, places, sides, sides, st.floats(0.5, 5))
def test_a_window_lies_inside_the_image(
    x: float, y: float, w: float, h: float, scale: float
) -> None:
    x1, y1, x2, y2 = window(np.array([x, y, x + w, y + h], np.float32), scale, (120, 160, 3))
    assert 0 <= x1 < x2 <= 160
    assert 0 <= y1 < y2 <= 120


def test_room_says_how_tight_a_crop_is() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    assert room(np.array([50, 50, 150, 150], np.float32), image.shape) == 2.0
    tight = context_crop(image, np.array([5, 5, 195, 195], np.float32))
    assert tight.kind is ContextKind.TIGHT
    assert context_crop(image, np.array([80, 80, 120, 130], np.float32)).kind is ContextKind.FULL


def test_a_context_keeps_the_face_in_its_box() -> None:
    image = np.zeros((900, 1200, 3), np.uint8)
    image[400:500, 600:680] = 255
    context = context_crop(image, np.array([600, 400, 680, 500], np.float32), max_px=128)
    x1, y1, x2, y2 = np.rint(context.box).astype(int)
    assert max(context.image.shape[:2]) <= 128
    assert context.image[y1 + 1 : y2 - 1, x1 + 1 : x2 - 1].min() > 200
    assert context.image.mean() < 40


def test_to_tensor_scales_orders_and_transposes() -> None:
    chips = np.random.default_rng(1).integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
    params = TensorParams(side=16, mean=127.5, scale=0.5, order="bgr")
    tensor = to_tensor(chips, params)
    assert tensor.shape == (2, 3, 16, 16)
    assert tensor[1, 0, 2, 3] == (chips[1, 2, 3, 2] - 127.5) * 0.5


def _chips(count: int = 2) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def _window(left: float, top: float, span: float, side: int = 112) -> RecognitionTransform:
    window = ChipWindow(left=left, top=top, side=span)
    return RecognitionTransform(window=window, tensor=TensorParams(side=side))


def test_without_a_window_the_chip_is_the_input() -> None:
    chips = _chips()
    plain = chip_tensor(chips, RecognitionTransform())
    np.testing.assert_array_equal(plain, chips.transpose(0, 3, 1, 2).astype(np.float32))
    np.testing.assert_array_equal(chip_tensor(chips, _window(0, 0, 112)), plain)


def test_a_window_is_cut_out_and_beyond_the_chip_its_edge_goes_on() -> None:
    chips = _chips()
    seen = chip_tensor(chips, _window(-4, 8, 112))
    plain = chip_tensor(chips, RecognitionTransform())
    np.testing.assert_array_equal(seen[:, :, :104, 4:], plain[:, :, 8:, :108])
    assert (seen[:, :, :104, :4] == plain[:, :, 8:, :1]).all()
    assert (seen[:, :, 104:, 4:] == plain[:, :, -1:, :108]).all()


@given(st.floats(-10, 10), st.floats(-10, 30), st.floats(80, 120))
def test_a_point_of_the_chip_lies_where_the_window_says(
    left: float, top: float, span: float
) -> None:
    y, x = np.mgrid[0:112, 0:112]
    ramp = np.stack([2 * x, 2 * y, 0 * x], -1).astype(np.uint8)
    (red, green, _), side = chip_tensor(ramp[None], _window(left, top, span, 150))[0], 150
    for place in (40, 75, 100):
        expected = [edge + place * span / side for edge in (left, top)]
        got = [red[place, place] / 2, green[place, place] / 2]
        np.testing.assert_allclose(got, np.clip(expected, 0, 111), atol=0.3)


def test_windows_of_a_batch_are_those_of_single_chips() -> None:
    chips, transform = _chips(3), _window(6, 21.5, 100.4, 150)
    batch = chip_tensor(chips, transform)
    assert batch.shape == (3, 3, 150, 150)
    for index in range(3):
        np.testing.assert_array_equal(
            chip_tensor(chips[index : index + 1], transform)[0], batch[index]
        )


def test_chips_that_a_network_cannot_take_are_refused() -> None:
    larger = np.zeros((1, 150, 150, 3), np.uint8)
    with pytest.raises(TransformMismatch, match="150"):
        chip_tensor(larger, RecognitionTransform())
    with pytest.raises(TransformMismatch, match="112"):
        chip_tensor(larger, _window(0, 0, 112, 150))
    with pytest.raises(TransformMismatch, match="150"):
        chip_tensor(_chips(), RecognitionTransform(tensor=TensorParams(side=150)))


def test_pad_tensor_one_by_one_is_the_batch() -> None:
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 256, (90, 70 + 10 * i, 3), dtype=np.uint8) for i in range(3)]
    boxes = np.array([[20, 20, 50, 60], [0, 0, 70, 80], [30, 10, 60, 45]], np.float32)
    params = TensorParams(side=32)
    batch = pad_tensor(images, boxes, scales=(1.0, 2.7), params=params)
    assert batch.shape == (3, 6, 32, 32)
    for index, image in enumerate(images):
        one = pad_tensor([image], boxes[index : index + 1], scales=(1.0, 2.7), params=params)
        np.testing.assert_array_equal(one[0], batch[index])


def test_pose_has_the_signs_it_says() -> None:
    frontal = ARCFACE_TEMPLATE.copy()
    right = frontal.copy()
    right[2, 0] += 8
    down = frontal.copy()
    down[2, 1] += 6
    assert abs(pose_deg(frontal)[0]) < 3
    assert pose_deg(right)[0] > 5
    assert pose_deg(down)[1] > pose_deg(frontal)[1] + 5
