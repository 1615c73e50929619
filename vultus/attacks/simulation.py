"""One door: a bona fide picture in, a simulated presentation of it out, every parameter named."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from vultus.attacks.camera import Linear, linear_of, recapture, sample_recapture_camera
from vultus.attacks.earlier import first_capture, lit_otherwise
from vultus.attacks.masked import mask_of, sample_mask
from vultus.attacks.printed import print_of, sample_print
from vultus.attacks.replayed import sample_replay, screen_of, through_glass
from vultus.attacks.view import homography, lay_over, moved_box, room_behind, sample_hold
from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.contracts.words import Species

_MAX_SIDE = 400
_FACE_PX = (80.0, 210.0)
"""Longer side of a face before this camera; pictures are only ever shrunk."""
_LEAST_FACE_PX = 60.0
"""The camera's file is not scaled below this: a smaller face is not found again."""
_RECORDED = {"attack": 0.8, "bona fide": 0.5}
"""How often there was a first capture: what is shown was photographed, sent and scaled before."""


@dataclass(frozen=True)
class Presentation:
    """image: RGB uint8 [H, W, 3]; box: float32 [4], the face in it; simulation: JSON-able facts."""

    image: RgbImage
    box: Box
    simulation: dict[str, Any]


def bona_fide_capture(image: RgbImage, box: Box, rng: np.random.Generator) -> Presentation:
    """The person before the attacks' camera, with nothing in between."""
    scene, box, _ = _prepared(image, box, None, rng)
    facts: dict[str, Any] = {}
    scene = _recorded(scene, "bona fide", rng, facts)
    scene, facts["light"] = lit_otherwise(scene, rng)
    return _seen(scene, box, rng, facts)


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
    scene, box, points = _prepared(image, box, landmarks, rng)
    facts: dict[str, Any] = {"species": species.value}
    if species is Species.MASK:
        if points is None:
            raise ValueError("a mask is fitted to landmarks; give them")
        scene = _recorded(scene, "bona fide", rng, facts)  # a live scene, as without the mask
        mask = sample_mask(rng)
        view, facts["light"] = lit_otherwise(mask_of(scene, points, mask), rng)
        seen = box
        facts["medium"] = mask.to_json()
    else:
        scene = _recorded(scene, "attack", rng, facts)
        view, seen = _held(scene, box, species, rng, facts)
    return _seen(view, seen, rng, facts)


def _recorded(scene: Linear, who: str, rng: np.random.Generator, facts: dict[str, Any]) -> Linear:
    if rng.random() >= _RECORDED[who]:
        return scene
    scene, facts["first_capture"] = first_capture(scene, rng)
    return scene


def _seen(view: Linear, box: Box, rng: np.random.Generator, facts: dict[str, Any]) -> Presentation:
    """Through the camera that both classes share."""
    camera = sample_recapture_camera(rng)
    face_px = float(max(box[2] - box[0], box[3] - box[1], 1.0))
    floor = min(1.0, _LEAST_FACE_PX / face_px)
    camera = replace(camera, shrink=max(camera.shrink, floor))
    taken = recapture(view, camera, rng)
    moved = box * np.float32(taken.shape[1] / view.shape[1])
    return Presentation(taken, np.asarray(moved, np.float32), {**facts, "camera": camera.to_json()})


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
    image: RgbImage, box: Box, landmarks: Landmarks | None, rng: np.random.Generator
) -> tuple[Linear, Box, Landmarks | None]:
    """Linear light at no more than 400 pixels, the face at a distance: what a webcam frame has."""
    face_px = float(max(box[2] - box[0], box[3] - box[1], 1.0))
    wanted = float(np.exp(rng.uniform(*np.log(_FACE_PX)))) / face_px
    shrink = min(1.0, _MAX_SIDE / max(image.shape[:2]), wanted)
    if shrink < 1:
        size = (round(image.shape[1] * shrink), round(image.shape[0] * shrink))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    points = None if landmarks is None else np.asarray(landmarks * shrink, np.float32)
    return linear_of(image), np.asarray(box * shrink, np.float32), points
