"""One door: a bona fide picture in, a simulated presentation of it out, every parameter named."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vultus.attacks.camera import Linear, linear_of, recapture, sample_recapture_camera
from vultus.attacks.masked import mask_of, sample_mask
from vultus.attacks.printed import print_of, sample_print
from vultus.attacks.replayed import sample_replay, screen_of, through_glass
from vultus.attacks.view import homography, lay_over, moved_box, room_behind, sample_hold
from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.contracts.words import Species

_MAX_SIDE = 400


@dataclass(frozen=True)
class Presentation:
    """image: RGB uint8 [H, W, 3]; box: float32 [4], the face in it; simulation: JSON-able facts."""

    image: RgbImage
    box: Box
    simulation: dict[str, Any]


def bona_fide_capture(image: RgbImage, box: Box, rng: np.random.Generator) -> Presentation:
    """The person before the attacks' camera, with nothing in between."""
    scene, box, _ = _prepared(image, box, None)
    camera = sample_recapture_camera(rng)
    return Presentation(recapture(scene, camera, rng), box, {"camera": camera.to_json()})


def simulate(
    image: RgbImage,
    box: Box,
    species: Species,
    rng: np.random.Generator,
    *,
    landmarks: Landmarks | None = None,
) -> Presentation:
    """Present the face of a bona fide picture as an attack would.

    Args:
        image: RGB uint8 [H, W, 3]; box: float32 [4], its face.
        species: print, replay or mask.
        rng: decides everything.
        landmarks: float32 [5, 2], needed for a mask.
    Raises: ValueError, for a mask without landmarks.
    """
    scene, box, points = _prepared(image, box, landmarks)
    facts: dict[str, Any] = {"species": species.value}
    if species is Species.MASK:
        if points is None:
            raise ValueError("a mask is fitted to landmarks; give them")
        mask = sample_mask(rng)
        view, seen = mask_of(scene, points, mask), box
        facts["medium"] = mask.to_json()
    else:
        view, seen = _held(scene, box, species, rng, facts)
    camera = sample_recapture_camera(rng)
    facts["camera"] = camera.to_json()
    return Presentation(recapture(view, camera, rng), seen, facts)


def _held(
    scene: Linear, box: Box, species: Species, rng: np.random.Generator, facts: dict[str, Any]
) -> tuple[Linear, Box]:
    """A flat medium in front of a room."""
    shape = scene.shape[:2]
    hold = sample_hold(rng)
    matrix = homography(hold, shape, shape)
    behind = room_behind(rng, shape)
    facts["hold"] = hold.to_json()
    if species is Species.PRINT:
        paper = sample_print(rng)
        facts["medium"] = paper.to_json()
        view = lay_over(behind, print_of(scene, paper, rng), matrix)
        margin = paper.border
    else:
        screen = sample_replay(rng)
        facts["medium"] = screen.to_json()
        view = lay_over(behind, screen_of(scene, screen, rng), matrix)
        cover = cv2.warpPerspective(np.ones(shape, np.float32), matrix, shape[::-1])[..., None]
        view = through_glass(view, np.asarray(cover, np.float32), screen, rng)
        margin = screen.bezel
    return view, moved_box(_inset(box, margin, shape), matrix, shape)


def _inset(box: Box, margin: float, shape: tuple[int, int]) -> Box:
    """Where the box lands when the picture is shrunk to leave a margin (share of the shorter side)."""
    edge = max(0.0, float(round(margin * min(shape))))
    scale = np.array([(shape[1] - 2 * edge) / shape[1], (shape[0] - 2 * edge) / shape[0]] * 2)
    return np.asarray(box * scale + edge, np.float32)


def _prepared(
    image: RgbImage, box: Box, landmarks: Landmarks | None
) -> tuple[Linear, Box, Landmarks | None]:
    """Linear light at no more than 400 pixels: what a webcam frame around one face has."""
    shrink = min(1.0, _MAX_SIDE / max(image.shape[:2]))
    if shrink < 1:
        size = (round(image.shape[1] * shrink), round(image.shape[0] * shrink))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    points = None if landmarks is None else np.asarray(landmarks * shrink, np.float32)
    return linear_of(image), np.asarray(box * shrink, np.float32), points
