"""What changes from picture to picture: pose, expression, light, background, camera."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vultus.synthetic.asset import Floats
from vultus.synthetic.camera import Camera, sample_camera

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """One key light from afar, a weaker one, and the light of the room. Colours linear RGB.

    azimuth_deg: 0 = from the camera, + = from the image's right; elevation_deg: + = from above.
    """

    azimuth_deg: float
    elevation_deg: float
    key: Colour
    softness: float
    fill_azimuth_deg: float
    fill: Colour
    sky: Colour
    ground: Colour

    @property
    def towards(self) -> Floats:
        """Unit vector towards the key light, float32 [3]."""
        return direction(self.azimuth_deg, self.elevation_deg)

    @property
    def key_colour(self) -> Floats:
        """Linear RGB float32 [3]."""
        return np.array(self.key, np.float32)


@dataclass(frozen=True)
class Scene:
    """One picture of one person. All angles in degrees, all shares of the picture's side."""

    seed: int
    side: int
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    gaze_yaw_deg: float
    gaze_pitch_deg: float
    expression: Mapping[str, float]
    light: Light
    face_share: float
    centre_x: float
    centre_y: float
    distance_dm: float
    cloth: Colour
    neckline: float
    background: int
    camera: Camera

    def to_json(self) -> dict[str, Any]:
        """Every nuisance by name, ready for a manifest."""
        return asdict(self)


_SMILES = ("mouthSmileLeft", "mouthSmileRight")
_EXPRESSIONS: tuple[tuple[float, Mapping[str, tuple[float, float]]], ...] = (
    (0.38, {}),
    (0.27, dict.fromkeys(_SMILES, (0.2, 0.85)) | {"cheekSquintLeft": (0, 0.5)}),
    (0.1, dict.fromkeys(_SMILES, (0.3, 0.7)) | {"jawOpen": (0.1, 0.3)}),
    (0.08, {"jawOpen": (0.1, 0.4)}),
    (0.06, {"browInnerUp": (0.3, 0.9), "eyeWideLeft": (0.2, 0.6), "eyeWideRight": (0.2, 0.6)}),
    (0.06, {"browDownLeft": (0.3, 0.9), "browDownRight": (0.3, 0.9), "mouthFrownLeft": (0, 0.5)}),
    (0.05, {"mouthPucker": (0.2, 0.6)}),
)


def direction(azimuth_deg: float, elevation_deg: float) -> Floats:
    """Unit vector towards a light: azimuth from the camera to the image's right. float32 [3]."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], np.float32)


def make_scene(
    seed: int, person_index: int, image_index: int, *, side: int = 256, max_yaw_deg: float = 35.0
) -> Scene:
    """The circumstances of picture (person, image) of the world `seed`.

    Args: side: width and height, pixels; max_yaw_deg: head turn to either side.
    """
    rng = np.random.default_rng([seed, person_index, 2, image_index])
    face_share = float(rng.uniform(0.4, 0.56))
    slack = (1 - face_share) * 0.22
    return Scene(
        seed=int(rng.integers(2**31)),
        side=side,
        yaw_deg=float(np.clip(rng.normal(0, 0.5), -1, 1)) * max_yaw_deg,
        pitch_deg=float(np.clip(rng.normal(0, 6), -18, 18)),
        roll_deg=float(np.clip(rng.normal(0, 5), -18, 18)),
        gaze_yaw_deg=float(rng.normal(0, 6)),
        gaze_pitch_deg=float(rng.normal(0, 3)),
        expression=_expression(rng),
        light=_light(rng),
        face_share=face_share,
        centre_x=0.5 + float(rng.uniform(-slack, slack)),
        centre_y=0.53 + float(rng.uniform(-slack, slack)) * 0.6,
        distance_dm=float(rng.uniform(7, 16)),
        cloth=_pick(rng, 0.02, 0.6),
        neckline=float(rng.uniform(0.0, 0.5)),
        background=int(rng.integers(2**31)),
        camera=sample_camera(rng),
    )


def _expression(rng: np.random.Generator) -> dict[str, float]:
    chosen = int(rng.choice(len(_EXPRESSIONS), p=[odds for odds, _ in _EXPRESSIONS]))
    weights = {name: float(rng.uniform(*span)) for name, span in _EXPRESSIONS[chosen][1].items()}
    both = float(np.clip(rng.normal(0.06, 0.09), 0, 0.35))
    return weights | {"eyeBlinkLeft": both, "eyeBlinkRight": both}


def _light(rng: np.random.Generator) -> Light:
    strength = float(rng.uniform(0.5, 1.0))
    room = float(rng.uniform(0.25, 0.65))
    warm = float(rng.normal(0, 0.09))
    sky = np.array([1 - 0.5 * warm, 1.0, 1 + 0.5 * warm]) * room
    return Light(
        azimuth_deg=float(np.clip(rng.normal(0, 42), -95, 95)),
        elevation_deg=float(rng.uniform(5, 62)),
        key=(strength * (1 + warm), strength, strength * (1 - warm)),
        softness=float(rng.uniform(0.1, 0.9)),
        fill_azimuth_deg=float(rng.uniform(-110, 110)),
        fill=_pick(rng, 0.02, 0.3, grey=0.8),
        sky=(float(sky[0]), float(sky[1]), float(sky[2])),
        ground=_pick(rng, 0.06, 0.3, grey=0.75),
    )


def _pick(rng: np.random.Generator, low: float, high: float, grey: float = 0.35) -> Colour:
    """A colour: a brightness, pulled towards a random hue."""
    level = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    hue = rng.dirichlet([1.2, 1.2, 1.2]) * 3
    r, g, b = level * (grey + (1 - grey) * hue)
    return float(r), float(g), float(b)
