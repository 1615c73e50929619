"""verify and liveness: which decision follows from which pictures, from a promoted home."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vultus
from support.drawn import as_file, drawn_face, no_face
from support.promoted import promoted_home, write_panel, write_recogniser
from vultus.contracts.home import Home
from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import MatchDecision, PadDecision, Reason, Verdict
from vultus.errors import BadArtifact, BadImage, BadSignature, TransformMismatch
from vultus.inference.bundle import open_analyser
from vultus.inference.champion import home_key
from vultus.signing import load_or_create_key, public_key_of

LIT = 1.25
"""Light under which the drawn faces are bona fide for the tiny panel."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return promoted_home(tmp_path_factory.mktemp("home"), verdict=Verdict.PASS)


def test_the_same_picture_matches_and_another_person_does_not(home: Home) -> None:
    face = drawn_face(light=LIT)
    same = vultus.verify(face, face, home=home.root)
    assert (same.decision, same.reason) == (MatchDecision.MATCH, None)
    assert same.score == pytest.approx(1, abs=1e-5)
    assert same.threshold == pytest.approx(0.8)
    other = vultus.verify(drawn_face(4), face, home=home.root)
    assert (other.decision, other.reason) == (MatchDecision.NON_MATCH, None)
    assert other.score is not None
    assert other.score < 0.8
    assert other.models.recognition == "vultus-recognition/1"
    assert other.models.pad == "vultus-pad/1"


def test_the_fmr_sets_the_threshold(home: Home) -> None:
    face = drawn_face(light=LIT)
    assert vultus.verify(face, face, fmr=0.1, home=home.root).threshold == pytest.approx(0.2)


def test_an_attack_is_not_decided_and_its_score_is_shown(home: Home) -> None:
    answer = vultus.verify(drawn_face(light=LIT), drawn_face(light=0.35), home=home.root)
    assert (answer.decision, answer.reason) == (MatchDecision.NOT_DECIDED, Reason.ATTACK)
    assert answer.pad.decision is PadDecision.ATTACK
    assert answer.pad.status is Verdict.PASS
    assert answer.score is not None


def test_pad_speaks_of_the_probe_alone(home: Home) -> None:
    answer = vultus.verify(drawn_face(light=0.35), drawn_face(light=LIT), home=home.root)
    assert answer.reason is None
    assert answer.pad.decision is PadDecision.BONA_FIDE


def test_pad_can_be_left_out(home: Home) -> None:
    dark = drawn_face(light=0.35)
    answer = vultus.verify(dark, dark, pad=False, home=home.root)
    assert (answer.decision, answer.reason) == (MatchDecision.MATCH, None)
    assert (answer.pad.decision, answer.pad.reason) == (
        PadDecision.NOT_DECIDED,
        Reason.PAD_UNAVAILABLE,
    )


def test_without_a_pad_model_nothing_is_decided_by_default(tmp_path: Path) -> None:
    home = promoted_home(tmp_path, pad=False)
    face = drawn_face(light=LIT)
    answer = vultus.verify(face, face, home=home.root)
    assert (answer.decision, answer.reason) == (MatchDecision.NOT_DECIDED, Reason.PAD_UNAVAILABLE)
    assert answer.score == pytest.approx(1, abs=1e-5)
    assert vultus.verify(face, face, pad=False, home=home.root).decision is MatchDecision.MATCH


def test_a_picture_without_a_face_is_not_decided(home: Home) -> None:
    for pair in ((no_face(), drawn_face()), (drawn_face(), no_face())):
        answer = vultus.verify(*pair, home=home.root)
        assert (answer.decision, answer.reason) == (MatchDecision.NOT_DECIDED, Reason.NO_FACE)
        assert answer.score is None


def test_liveness_takes_paths_bytes_and_arrays(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "face.jpg"
    file.write_bytes(as_file(drawn_face(light=LIT)))
    by_path = vultus.liveness(file, home=home.root)
    by_bytes = vultus.liveness(file.read_bytes(), home=home.root)
    assert by_path.decision is PadDecision.BONA_FIDE
    assert by_path.score == by_bytes.score == by_path.pad.score
    assert by_path.request_id != by_bytes.request_id
    assert vultus.liveness(no_face(), home=home.root).reason is Reason.NO_FACE


def test_what_is_no_picture_is_named(home: Home, tmp_path: Path) -> None:
    text = tmp_path / "letter.jpg"
    text.write_text("Dear Sir or Madam")
    with pytest.raises(BadImage, match=r"letter\.jpg"):
        vultus.liveness(text, home=home.root)
    with pytest.raises(BadImage, match="cannot be read"):
        vultus.liveness(tmp_path / "absent.jpg", home=home.root)
    with pytest.raises(BadImage, match="uint8"):
        vultus.liveness(np.zeros((4, 4), np.float32), home=home.root)  # type: ignore[arg-type]


def test_nothing_promoted_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="vultus run liveness"):
        vultus.liveness(drawn_face(), home=tmp_path / "empty")
    assert not (tmp_path / "empty").exists()


def test_a_moved_home_still_answers_and_a_promotion_is_followed(tmp_path: Path) -> None:
    promoted_home(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    face = drawn_face(light=LIT)
    assert vultus.verify(face, face, home=tmp_path / "new").models.pad == "vultus-pad/1"


def test_a_changed_or_foreign_version_is_not_loaded(tmp_path: Path) -> None:
    home = promoted_home(tmp_path)
    foreign = public_key_of(load_or_create_key(tmp_path / "other.pem"))
    folder = home.models / "vultus-recognition" / "1"
    with pytest.raises(BadSignature, match="not signed with the key"):
        open_analyser(folder, None, foreign)
    (folder / "model.onnx").write_bytes(b"another network")
    with pytest.raises(BadSignature, match=r"model\.onnx"):
        open_analyser(folder, None, home_key(home))


def test_models_are_not_taken_for_each_other(tmp_path: Path) -> None:
    home = promoted_home(tmp_path)
    panel = home.models / "vultus-pad" / "1"
    with pytest.raises(TransformMismatch, match="a recognition model is needed"):
        open_analyser(panel, None, home_key(home))


def test_a_pair_behind_different_detectors_is_refused(tmp_path: Path) -> None:
    ours = write_recogniser(tmp_path)
    theirs = write_panel(tmp_path, detector=DetectorParams(min_face_px=80))
    with pytest.raises(TransformMismatch, match="different detectors"):
        open_analyser(ours, theirs, home_key(Home(tmp_path)))


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (None, Verdict.NOT_ENOUGH_DATA),
        (Verdict.PASS, Verdict.PASS),
        (Verdict.FAIL, Verdict.FAIL),
    ],
)
def test_the_status_repeats_the_evaluations_verdict(
    tmp_path: Path, verdict: Verdict | None, status: Verdict
) -> None:
    folder = write_panel(tmp_path, verdict=verdict)
    assert open_analyser(None, folder, home_key(Home(tmp_path)))[0].pad_status is status


def test_importing_vultus_loads_nothing() -> None:
    code = (
        "import sys, vultus; assert 'verify' in dir(vultus); "
        "print(sorted({'numpy', 'cv2', 'onnxruntime', 'pydantic'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="nonsense"):
        _ = vultus.nonsense
