"""Person + scene -> picture, with landmarks, box, depth and mask as ground truth."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Box, Landmarks, RgbImage
from vultus.synthetic.asset import Floats
from vultus.synthetic.backdrop import backdrop
from vultus.synthetic.camera import capture
from vultus.synthetic.glasses import draw_glasses
from vultus.synthetic.hair import hair_mesh
from vultus.synthetic.head import HeadModel
from vultus.synthetic.locks import comb, draw_hair
from vultus.synthetic.person import Person
from vultus.synthetic.scene import Scene
from vultus.synthetic.stage import stage_of
from vultus.synthetic.surface import Sitting, Surface, draw_head, place_head

_SUPERSAMPLING = 2


@dataclass(frozen=True)
class Render:
    """One picture and what is true of it.

    image: RGB uint8 [S, S, 3]; landmarks: float32 [5, 2], image-left eye first; box: float32 [4], chin
    to hairline; depth: float32 [S, S], decimetres from the camera, +inf = background; mask: bool [S, S].
    """

    image: RgbImage
    landmarks: Landmarks
    box: Box
    depth: Floats
    mask: NDArray[np.bool_]
    person: Person
    scene: Scene


def render(model: HeadModel, person: Person, scene: Scene) -> Render:
    """Draw one picture as the scene's camera sees it (before JPEG).

    Args: model: shared head; person, scene: see `make_person`, `make_scene`.
    """
    linear, depth, landmarks, box = radiance(model, person, scene)
    image = capture(linear, scene.camera, np.random.default_rng([scene.seed, 6]))
    return Render(image, landmarks, box, depth, np.isfinite(depth), person, scene)


def render_jpeg(model: HeadModel, person: Person, scene: Scene) -> tuple[bytes, Render]:
    """The file the scene's camera writes, and the render it comes from."""
    made = render(model, person, scene)
    options = [cv2.IMWRITE_JPEG_QUALITY, scene.camera.jpeg_quality]
    _, data = cv2.imencode(".jpg", made.image[:, :, ::-1], options)
    return data.tobytes(), made


def radiance(
    model: HeadModel, person: Person, scene: Scene
) -> tuple[Floats, Floats, Landmarks, Box]:
    """The light that reaches the camera: linear RGB float32 [S, S, 3]; depth, landmarks and box."""
    pixels = scene.side * _SUPERSAMPLING
    stage = stage_of(scene, pixels)
    vertices = model.deform(person.vertices, dict(scene.expression))
    posed = stage.pose(vertices)
    hair = hair_mesh(model, person)
    canvas = Surface.empty(backdrop(scene, pixels))
    sitting = Sitting(model, person, scene, stage, vertices, posed, hair)
    head = place_head(canvas, sitting)
    if hair is None:
        draw_head(canvas, sitting, head, np.zeros(0, np.int64))
    else:
        locks = comb(canvas, sitting, hair)
        draw_head(canvas, sitting, head, locks.solid)
        draw_hair(canvas, sitting, hair, locks)
    if person.glasses is not None:
        draw_glasses(canvas, model, person, scene, stage, vertices)
    size = (scene.side, scene.side)
    linear = cv2.merge([cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in canvas.colour])
    depth = canvas.depth[::_SUPERSAMPLING, ::_SUPERSAMPLING].copy()
    points, _ = stage.project(stage.pose(model.landmark_points(vertices)))
    face, _ = stage.project(posed[model.face_vertices])
    box = np.concatenate([face.min(0), face.max(0)]) / _SUPERSAMPLING
    return (
        np.asarray(linear, np.float32),
        depth,
        (points / _SUPERSAMPLING).astype(np.float32),
        box.astype(np.float32),
    )
