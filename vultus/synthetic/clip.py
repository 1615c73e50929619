"""Short clips: a blink, a turn of the head, or somebody holding still."""

from dataclasses import replace
from typing import Literal

import numpy as np

from vultus.synthetic.head import HeadModel
from vultus.synthetic.person import Person
from vultus.synthetic.render import Render, render
from vultus.synthetic.scene import Scene

Action = Literal["blink", "turn_left", "turn_right", "still"]
_TURN_DEG = 28.0


def render_clip(
    model: HeadModel, person: Person, scene: Scene, *, action: Action, frames: int = 24
) -> list[Render]:
    """The same person in the same place over time.

    Args:
        action: `turn_left` and `turn_right` are seen from the camera: towards the image's left, right.
        frames: number of pictures, >= 2; the action is done by the last one.
    """
    made = []
    for index in range(frames):
        time = index / (frames - 1)
        moved = replace(_moved(scene, action, time), seed=scene.seed + index)
        made.append(render(model, person, moved))
    return made


def _moved(scene: Scene, action: Action, time: float) -> Scene:
    """The scene at `time` in [0, 1]; a little sway is always there."""
    sway = 0.8 * float(np.sin(2 * np.pi * time))
    moved = replace(scene, roll_deg=scene.roll_deg + sway, yaw_deg=scene.yaw_deg + sway)
    if action == "still":
        return moved
    if action == "blink":
        closed = float(np.exp(-(((time - 0.5) / 0.12) ** 2)))
        lids = max(scene.expression.get("eyeBlinkLeft", 0.0), closed)
        both = {"eyeBlinkLeft": lids, "eyeBlinkRight": lids}
        return replace(moved, expression=dict(scene.expression) | both)
    sign = -1 if action == "turn_left" else 1
    ease = time * time * (3 - 2 * time)
    return replace(moved, yaw_deg=moved.yaw_deg + sign * _TURN_DEG * ease)
