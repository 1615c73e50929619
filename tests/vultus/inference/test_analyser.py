"""FaceAnalyser: what it says of one picture, with the real detector and small real networks."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from support.drawn import drawn_face, no_face, two_faces
from support.promoted import BRIGHT, promoted_home, write_panel
from vultus.contracts.seams import Detections
from vultus.contracts.traffic import STAGES
from vultus.contracts.words import QUALITY_COMPONENTS, Evidence, PadDecision, Reason, Task, Verdict
from vultus.faces.context import context_crop
from vultus.faces.tensor import pad_crop
from vultus.inference import mtcnn_detector
from vultus.inference.analyser import FaceAnalyser
from vultus.inference.bundle import open_analyser
from vultus.inference.champion import home_key, open_champions


@pytest.fixture(scope="module")
def analyser(tmp_path_factory: pytest.TempPathFactory) -> FaceAnalyser:
    home = promoted_home(tmp_path_factory.mktemp("home"))
    return open_champions(home, need=Task.RECOGNITION)[0]


def test_a_face_is_measured_judged_and_embedded(analyser: FaceAnalyser) -> None:
    image = drawn_face()
    found = analyser.analyse(image)
    assert found.reason is None
    assert found.face is not None
    assert found.face.faces == 1
    assert set(found.face.quality) == set(QUALITY_COMPONENTS)
    assert found.embedding is not None
    assert np.linalg.norm(found.embedding) == pytest.approx(1, abs=1e-5)
    assert found.pad.member == "tiny"
    assert found.pad.evidence is Evidence.SIMULATED
    assert found.pad.status is Verdict.NOT_ENOUGH_DATA


def test_latency_is_told_by_stage(analyser: FaceAnalyser) -> None:
    spent = analyser.analyse(drawn_face()).latency_ms
    assert set(spent) == {"detect", "pad", "embed", "total"} <= set(STAGES)
    assert spent["detect"] + spent["pad"] + spent["embed"] <= spent["total"]


def test_the_pad_score_is_the_members_on_the_context(analyser: FaceAnalyser) -> None:
    image = drawn_face()
    found = analyser.analyse(image, embed=False)
    assert found.face is not None
    context = context_crop(image, np.array(found.face.box, np.float32))
    mean = pad_crop(context.image, context.box, 2.7, 32).mean()
    assert found.pad.score == pytest.approx(1 / (1 + np.exp(-(mean - BRIGHT) / 10)), abs=1e-5)
    assert found.embedding is None


def test_a_dark_presentation_is_an_attack_for_this_panel(analyser: FaceAnalyser) -> None:
    assert analyser.analyse(drawn_face(light=1.3)).pad.decision is PadDecision.BONA_FIDE
    dark = analyser.analyse(drawn_face(light=0.35)).pad
    assert (dark.decision, dark.reason) == (PadDecision.ATTACK, Reason.ATTACK)


@pytest.mark.parametrize(
    ("image", "reason", "seen"),
    [(no_face(), Reason.NO_FACE, False), (two_faces(), Reason.SEVERAL_FACES, True)],
)
def test_a_picture_without_one_face_is_a_result(
    analyser: FaceAnalyser, image: np.ndarray, reason: Reason, seen: bool
) -> None:
    found = analyser.analyse(image)
    assert found.reason is reason
    assert found.embedding is None
    assert (found.face is not None) is seen
    assert (found.pad.decision, found.pad.reason) == (PadDecision.NOT_DECIDED, reason)


def test_a_face_that_fills_the_picture_is_found(analyser: FaceAnalyser) -> None:
    image = drawn_face(5, tight=True)
    assert len(analyser.detector.detect(image)) == 0
    assert analyser.analyse(image).reason is None


def test_without_a_panel_pad_is_unavailable(analyser: FaceAnalyser) -> None:
    alone = FaceAnalyser(
        analyser.detector,
        analyser.encoder,
        None,
        recognition="r/1",
        pad=None,
        pad_status=Verdict.NOT_ENOUGH_DATA,
    )
    found = alone.analyse(drawn_face())
    assert (found.pad.decision, found.pad.reason) == (
        PadDecision.NOT_DECIDED,
        Reason.PAD_UNAVAILABLE,
    )
    assert "pad" not in found.latency_ms
    assert found.embedding is not None


def test_too_little_room_is_not_decided_with_a_hint(tmp_path: Path) -> None:
    folder = write_panel(tmp_path, room_min=3.0)
    picky, _ = open_analyser(None, folder, home_key(promoted_home(tmp_path, pad=False)))
    pad = picky.analyse(drawn_face()).pad
    assert (pad.decision, pad.reason) == (PadDecision.NOT_DECIDED, Reason.PAD_UNAVAILABLE)
    assert pad.hint is not None
    assert "move back" in pad.hint
    assert pad.room is not None
    assert pad.room < 3.0


def test_a_picture_nobody_can_use_is_low_quality(analyser: FaceAnalyser) -> None:
    """A black picture with a face claimed in it; points that coincide allow no alignment."""
    box = np.array([[20, 20, 100, 100]], np.float32)
    points = np.array([[[40, 45], [80, 45], [60, 60], [45, 80], [75, 80]]], np.float32)
    claimed = Detections(box, points, np.ones(1, np.float32))
    black = analyser.analyse_face(np.zeros((128, 128, 3), np.uint8), claimed, 0)
    assert black.reason is Reason.LOW_QUALITY
    together = Detections(box, np.full((1, 5, 2), 60, np.float32), np.ones(1, np.float32))
    assert analyser.analyse_face(drawn_face(), together, 0).reason is Reason.LOW_QUALITY


def test_blur_and_compression_alone_refuse_no_face(analyser: FaceAnalyser) -> None:
    poor = cv2.GaussianBlur(drawn_face(), (0, 0), 2.0)
    found = analyser.analyse(np.asarray(poor, np.uint8))
    assert found.reason is None


def test_threads_share_one_analyser(analyser: FaceAnalyser) -> None:
    images = [drawn_face(subject) for subject in (0, 1, 2, 3)] * 5
    alone = [analyser.analyse(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(analyser.analyse, images))
    for one, other in zip(alone, together, strict=True):
        assert one.face == other.face
        assert one.pad == other.pad
        assert one.embedding is not None
        assert np.array_equal(one.embedding, other.embedding)  # type: ignore[arg-type]


def test_the_detector_is_the_one_of_the_transform() -> None:
    from vultus.contracts.transform import DetectorParams

    assert len(mtcnn_detector(DetectorParams(min_face_px=190)).detect(drawn_face())) == 0
