"""Simulated presentations: deterministic, named, and not given away by trivial traces."""

import json

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from support.heads import rendered
from vultus.attacks.framing import tightened
from vultus.attacks.simulation import bona_fide_capture, simulate
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
    worn = simulate(
        made.image, made.box, Species.MASK, np.random.default_rng(3), landmarks=made.landmarks
    )
    plain = bona_fide_capture(made.image, made.box, np.random.default_rng(3))
    change = np.abs(worn.image.astype(float) - plain.image.astype(float)).mean(2)
    x, y = made.landmarks[0].astype(int)
    cheek = (made.landmarks[0] * 0.4 + made.landmarks[3] * 0.6).astype(int)
    assert change[cheek[1], cheek[0]] > 0
    assert (
        change[y, x] < change[cheek[1] - 4 : cheek[1] + 4, cheek[0] - 4 : cheek[0] + 4].max() + 25
    )


@pytest.mark.slow
def test_trivial_traces_do_not_tell_the_classes_apart() -> None:
    """Bytes, mean, contrast and sharpness alone: AUC <= 0.75 each, either way round."""
    rng = np.random.default_rng(11)
    rows, labels = [], []
    for index in range(48):
        made = rendered(index % 12, index // 12)
        shown = [bona_fide_capture(made.image, made.box, rng)]
        species = (Species.PRINT, Species.REPLAY)[index % 2]
        shown.append(simulate(made.image, made.box, species, rng, landmarks=made.landmarks))
        for label, presented in enumerate(shown):
            quality = int(rng.integers(78, 97))
            grey = cv2.cvtColor(presented.image, cv2.COLOR_RGB2GRAY)
            sharp = cv2.Laplacian(grey, cv2.CV_32F).var()
            size = len(encode_jpeg(presented.image, quality))
            rows.append([size, grey.mean(), grey.std(), sharp, quality])
            labels.append(label)
    for column, name in enumerate(("bytes", "mean", "contrast", "sharpness", "jpeg")):
        area = roc_auc_score(labels, [row[column] for row in rows])
        assert max(area, 1 - area) <= 0.75, f"{name}: AUC {area:.2f}"


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
