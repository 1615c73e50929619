"""Simulated presentations: deterministic, named, and not given away by trivial traces."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from support.heads import rendered
from vultus.attacks.camera import linear_of, recapture, sample_recapture_camera
from vultus.attacks.framing import tightened
from vultus.attacks.masked import mask_of, sample_mask
from vultus.attacks.simulation import Presentation, bona_fide_capture, simulate
from vultus.contracts.words import ContextKind, Species
from vultus.faces.context import context_kind
from vultus.faces.picture import encode_jpeg


@pytest.mark.parametrize("species", list(Species))
def test_the_seed_decides_everything(species: Species) -> None:
    made = rendered(0)
    one, two, other = (
        simulate(
            made.image, made.box, species, np.random.default_rng(seed), landmarks=made.landmarks
        )
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.image, two.image)
    assert one.simulation == two.simulation
    assert not np.array_equal(one.image, other.image)
    assert json.loads(json.dumps(one.simulation))["species"] == species.value


@pytest.mark.parametrize("species", list(Species))
@pytest.mark.parametrize("seed", range(4))
def test_the_box_stays_inside_and_keeps_its_shape(species: Species, seed: int) -> None:
    made = rendered(seed % 2)
    rng = np.random.default_rng(seed)
    presented = simulate(made.image, made.box, species, rng, landmarks=made.landmarks)
    x1, y1, x2, y2 = presented.box
    height, width = presented.image.shape[:2]
    assert 0 <= x1 < x2 <= width
    assert 0 <= y1 < y2 <= height
    before = (made.box[2] - made.box[0]) / (made.box[3] - made.box[1])
    assert 0.6 < (x2 - x1) / (y2 - y1) / before < 1.6


def test_a_mask_needs_landmarks() -> None:
    made = rendered(0)
    with pytest.raises(ValueError, match="landmarks"):
        simulate(made.image, made.box, Species.MASK, np.random.default_rng(0))


def test_a_mask_shows_the_wearers_eyes() -> None:
    made = rendered(0)
    scene = linear_of(made.image)
    worn = mask_of(scene, made.landmarks, sample_mask(np.random.default_rng(3)))
    change = np.abs(worn - scene).mean(2)
    x, y = made.landmarks[0].astype(int)
    cheek = (made.landmarks[0] * 0.4 + made.landmarks[3] * 0.6).astype(int)
    assert change[cheek[1], cheek[0]] > 0.01
    assert change[y, x] < 0.2 * change[cheek[1], cheek[0]]


@pytest.mark.slow
def test_trivial_traces_do_not_tell_the_classes_apart() -> None:
    """Bytes, mean, contrast, sharpness and the JPEG table alone: AUC <= 0.7 each, either way round.

    Through the same camera, and with untouched pictures among the bona fide ones as in training.
    """
    rng = np.random.default_rng(11)
    rows, kinds = [], []
    for index in range(80):
        made = rendered(index % 20, index // 20)
        shown = {"untouched": Presentation(made.image, made.box, {})}
        shown["recaptured"] = bona_fide_capture(made.image, made.box, rng)
        for species in Species:
            shown[species.value] = simulate(
                made.image, made.box, species, rng, landmarks=made.landmarks
            )
        for kind, presented in shown.items():
            seen = tightened(presented, rng) if rng.random() < 0.35 else presented
            quality = int(rng.integers(78, 97))
            grey = cv2.cvtColor(seen.image, cv2.COLOR_RGB2GRAY)
            sharp = cv2.Laplacian(grey, cv2.CV_32F).var()
            size = len(encode_jpeg(seen.image, quality))
            rows.append([size, grey.mean(), grey.std(), sharp, quality])
            kinds.append(kind)
    table, kind_of = np.array(rows), np.array(kinds)
    attack = np.isin(kind_of, [species.value for species in Species])
    for bona_fide in (["recaptured"], ["untouched", "recaptured"]):
        asked = attack | np.isin(kind_of, bona_fide)
        for column, name in enumerate(("bytes", "mean", "contrast", "sharpness", "jpeg")):
            area = roc_auc_score(attack[asked], table[asked, column])
            assert max(area, 1 - area) <= 0.7, f"{name}, {bona_fide}: AUC {area:.2f}"


@pytest.mark.parametrize("light", [0.05, 1.0, 4.0])
def test_how_bright_the_scene_is_does_not_show(light: float) -> None:
    scene = linear_of(rendered(0).image)
    camera = replace(sample_recapture_camera(np.random.default_rng(1)), shot_noise=0, read_noise=0)
    usual, other = (recapture(scene * k, camera, np.random.default_rng(2)) for k in (1.0, light))
    assert np.abs(usual.astype(int) - other.astype(int)).mean() < 2


def test_what_an_attacker_shows_was_mostly_captured_before() -> None:
    made, recorded = rendered(0), []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        recorded.append(simulate(made.image, made.box, Species.REPLAY, rng).simulation)
    share = sum("first_capture" in facts for facts in recorded) / len(recorded)
    assert 0.6 < share < 0.97


def test_a_camera_that_scales_moves_the_box_with_it() -> None:
    made = rendered(0)
    for seed in range(12):
        seen = bona_fide_capture(made.image, made.box, np.random.default_rng(seed))
        scale = seen.image.shape[1] / made.image.shape[1]
        assert seen.box / scale == pytest.approx(made.box, abs=1.5)


@pytest.mark.parametrize("seed", range(4))
def test_a_tight_cut_keeps_the_face_and_leaves_no_room(seed: int) -> None:
    made = rendered(seed % 2)
    rng = np.random.default_rng(seed)
    wide = bona_fide_capture(made.image, made.box, rng)
    tight = tightened(wide, rng)
    assert context_kind(wide.box, wide.image.shape) is ContextKind.FULL
    assert context_kind(tight.box, tight.image.shape) is ContextKind.TIGHT
    assert 1.0 <= tight.simulation["frame_extent"] <= 1.12
    x1, y1, x2, y2 = (round(float(v)) for v in wide.box)
    u1, v1, u2, v2 = (round(float(v)) for v in tight.box)
    assert np.array_equal(tight.image[v1:v2, u1:u2], wide.image[y1:y2, x1:x2])
