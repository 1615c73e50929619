"""From the head's own frame to the picture: pose, perspective, and the light's view of it all."""

from dataclasses import dataclass

import numpy as np

from vultus.synthetic.asset import Floats
from vultus.synthetic.scene import Scene

_PIVOT = np.array([0.0, 6.2, 0.25], np.float32)
_FACE_CENTRE = np.array([0.0, 7.15, 1.1], np.float32)
_FACE_HEIGHT_DM = 1.85
"""Chin to hairline of the base mesh."""


@dataclass(frozen=True)
class Stage:
    """Pose and camera of one scene, for pictures of `pixels` x `pixels`."""

    head: Floats
    torso: Floats
    distance: float
    focal: float
    centre: tuple[float, float]

    def pose(self, points: Floats) -> Floats:
        """Turn the head, and the chest a quarter as far. float32 [V, 3] -> [V, 3]."""
        share = np.clip((points[:, 1:2] - 5.35) / 0.75, 0, 1)
        share = share * share * (3 - 2 * share)
        local = points - _PIVOT
        turned = (local @ self.head.T) * share + (local @ self.torso.T) * (1 - share)
        return np.asarray(turned + _PIVOT, np.float32)

    def project(self, posed: Floats) -> tuple[Floats, Floats]:
        """Posed points -> pixels float32 [V, 2] (y down) and distance from the camera [V]."""
        offset = posed - _FACE_CENTRE
        depth = self.distance - offset[:, 2]
        x = self.centre[0] + self.focal * offset[:, 0] / depth
        y = self.centre[1] - self.focal * offset[:, 1] / depth
        return np.stack([x, y], axis=1).astype(np.float32), depth.astype(np.float32)


def stage_of(scene: Scene, pixels: int) -> Stage:
    """The stage of a scene, drawn at `pixels` x `pixels`."""
    distance = scene.distance_dm
    return Stage(
        head=rotation(scene.yaw_deg, scene.pitch_deg, scene.roll_deg),
        torso=rotation(scene.yaw_deg * 0.3, 0.0, scene.roll_deg * 0.15),
        distance=distance,
        focal=scene.face_share * pixels * distance / _FACE_HEIGHT_DM,
        centre=(scene.centre_x * pixels, scene.centre_y * pixels),
    )


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Floats:
    """Turn to the image's right, then down, then clockwise. float32 [3, 3]."""
    y, p, r = np.radians([yaw_deg, pitch_deg, -roll_deg])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, np.float32)


def light_frame(towards: Floats) -> Floats:
    """Rows: right, up and towards-the-light. float32 [3, 3]."""
    side = np.cross([0.0, 1.0, 0.0], towards)
    side /= max(float(np.linalg.norm(side)), 1e-6)
    return np.stack([side, np.cross(towards, side), towards]).astype(np.float32)
