"""A pair of glasses: two rims, a bridge, temples that vanish behind the head, faint lenses."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats
from vultus.synthetic.head import HeadModel
from vultus.synthetic.person import Glasses, Person
from vultus.synthetic.scene import Scene
from vultus.synthetic.shade import room_light
from vultus.synthetic.stage import Stage

if TYPE_CHECKING:
    from vultus.synthetic.surface import Surface

_STANDOFF_DM = 0.14
_EAR = np.array([0.86, 7.3, 0.45], np.float32)


def draw_glasses(
    canvas: "Surface",
    model: HeadModel,
    person: Person,
    scene: Scene,
    stage: Stage,
    vertices: Floats,
) -> None:
    """Draw the person's glasses over the finished head, in place."""
    glasses = person.glasses
    if glasses is None:
        return
    height, width = canvas.depth.shape
    frame = np.zeros((height, width), np.float32)
    lens = np.zeros((height, width), np.float32)
    thick = max(1, round(glasses.rim * stage.focal / stage.distance))
    rims, lines = _curves(model, glasses, vertices)
    for curve in rims:
        points = _pixels(stage, curve)
        cv2.fillPoly(lens, [points], 1.0, cv2.LINE_AA, 4)
        cv2.polylines(frame, [points], True, 1.0, thick, cv2.LINE_AA, 4)
    for curve in lines:
        visible = _visible(canvas, stage, curve)
        for start, end in zip(curve[:-1][visible], curve[1:][visible], strict=True):
            points = _pixels(stage, np.stack([start, end]))
            cv2.polylines(frame, [points], False, 1.0, thick, cv2.LINE_AA, 4)
    front = stage.head @ np.array([0, 0, 1], np.float32)
    key = max(0.0, float(front @ scene.light.towards))
    light = room_light(front[:, None], scene.light)[:, 0] + key * scene.light.key_colour
    sheen = 0.03 * np.linspace(2, 0, height, dtype=np.float32)[:, None]
    for plane, glow, tone in zip(canvas.colour, light, glasses.colour, strict=True):
        plane += lens * (glow * sheen - np.float32(0.07) * plane)
        plane += frame * (glow * np.float32(tone + 0.01) - plane)


def _curves(
    model: HeadModel, glasses: Glasses, vertices: Floats
) -> tuple[list[Floats], list[Floats]]:
    """Rims (closed) and bridge and temples (open), float32 [n, 3] each, head frame."""
    centres, radii = model.eyes(vertices)
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    power = 2 / glasses.roundness
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power * glasses.width
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power * glasses.height - 0.03
    z = float((centres[:, 2] + radii).max()) + _STANDOFF_DM
    rims = [
        np.stack([c[0] + x, c[1] + y, z - 0.28 * np.abs(c[0] + x) ** 2], axis=1).astype(np.float32)
        for c in centres
    ]
    inner = [float(np.abs(rim[:, 0]).min()) for rim in rims]
    level = float(centres[:, 1].mean()) + 0.04
    span = np.linspace(-1, 1, 9)
    bridge = np.stack([span * max(inner), level + 0.03 * (1 - span**2), np.full(9, z)], axis=1)
    lines = [bridge.astype(np.float32)]
    for side, rim in zip((-1, 1), rims, strict=True):
        start = rim[np.argmax(side * rim[:, 0])] + np.array([0, 0.06, 0], np.float32)
        end = _EAR * np.array([side, 1, 1], np.float32)
        steps = np.linspace(0, 1, 24, dtype=np.float32)[:, None]
        lines.append((start + (end - start) * steps).astype(np.float32))
    return rims, lines


def _pixels(stage: Stage, points: Floats) -> NDArray[np.int32]:
    """Projected, in sixteenths of a pixel as OpenCV's shift wants them."""
    pixels, _ = stage.project(stage.pose(points))
    return np.rint(pixels * 16).astype(np.int32)


def _visible(canvas: "Surface", stage: Stage, curve: Floats) -> NDArray[np.bool_]:
    """Which segments lie before what is drawn already."""
    pixels, depth = stage.project(stage.pose(np.asarray((curve[:-1] + curve[1:]) / 2, np.float32)))
    height, width = canvas.depth.shape
    column = np.clip(pixels[:, 0], 0, width - 1).astype(int)
    row = np.clip(pixels[:, 1], 0, height - 1).astype(int)
    return np.asarray(depth < canvas.depth[row, column] + 0.06)
