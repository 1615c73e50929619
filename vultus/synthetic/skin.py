"""The painted surface: what the eye sees on skin beside its shape.

Everything is drawn once a person on a cylinder around the *base* head, so that shape and expression
carry it along. A point is addressed by its base-mesh position.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats
from vultus.synthetic.person import Person

WIDTH, HEIGHT = 1024, 640
_TOP_Y, _BOTTOM_Y = 8.6, 4.3
_AXIS_Z = 0.35
_FRONT_RADIUS = 1.12
_BLOOD = (
    (-0.42, 6.92, 0.2, 1.0),
    (0.42, 6.92, 0.2, 1.0),
    (0.0, 6.95, 0.13, 0.9),
    (0.0, 6.35, 0.16, 0.4),
    (-1.0, 7.05, 0.25, 0.8),
    (1.0, 7.05, 0.25, 0.8),
)
"""Where skin is redder: cheeks, nose, chin, ears (x, y, size in dm; strength)."""


def cylinder(base: Floats) -> tuple[Floats, Floats]:
    """Base-mesh positions float32 [N, 3] -> map coordinates x, y (pixels), float32 [N] each."""
    angle = np.arctan2(base[:, 0], base[:, 2] - _AXIS_Z)
    x = (angle / (2 * np.pi) + 0.5) * (WIDTH - 1)
    y = (_TOP_Y - base[:, 1]) / (_TOP_Y - _BOTTOM_Y) * (HEIGHT - 1)
    return x.astype(np.float32), y.astype(np.float32)


def look_up(picture: Floats, base: Floats) -> Floats:
    """Sample a map at base-mesh positions. float32 [N, C]."""
    x, y = cylinder(base)
    pieces = [  # cv2.remap takes at most 32767 rows
        cv2.remap(picture, x[i : i + 30000, None], y[i : i + 30000, None], cv2.INTER_LINEAR)
        for i in range(0, max(len(x), 1), 30000)
    ]
    return np.concatenate(pieces).reshape(len(x), -1).astype(np.float32)


def paint(person: Person) -> Floats:
    """The person's albedo map, linear RGB float32 [HEIGHT, WIDTH, 3], without lips and clothes."""
    rng = np.random.default_rng([person.seed, person.index, 3])
    across, up = _plane()
    skin, hair = person.skin, person.hair
    albedo = np.empty((HEIGHT, WIDTH, 3), np.float32)
    albedo[:] = skin.albedo
    tone = 1 + skin.mottle * (fractal(rng, 5) * 1.4 + fractal(rng, 7) * 1.1)
    albedo *= tone[..., None]
    blood = np.zeros_like(across)
    for x, y, size, strength in _BLOOD:
        blood += strength * _spot(across, up, x, y, size)
    blood *= 0.75 + 0.5 * fractal(rng, 6)
    albedo *= 1 - skin.redness * blood[..., None] * np.array([0.15, 0.9, 0.75], np.float32)
    rings = _spot(across, up, -0.31, 7.18, 0.12) + _spot(across, up, 0.31, 7.18, 0.12)
    albedo *= 1 - (0.1 + 0.12 * skin.wrinkles) * rings[..., None] * np.array(
        [0.8, 1, 0.85], np.float32
    )
    if skin.freckles > 0.05:
        dots = np.clip(fractal(rng, 8, gain=1.0) * 2.2 - 0.9, 0, 1) * _spot(across, up, 0, 7.0, 0.5)
        albedo *= 1 - 0.45 * skin.freckles * dots[..., None] * np.array([0.5, 0.8, 1], np.float32)
    for x, y, size, dark in skin.moles:
        albedo *= 1 - dark * np.minimum(2 * _spot(across, up, x, y, size), 1)[..., None]
    _wrinkle(albedo, across, up, rng, skin.wrinkles)
    _beard(albedo, across, up, rng, person)
    brows = _brows(across, up, rng, person)
    return (albedo + brows[..., None] * (np.array(hair.colour, np.float32) * 0.8 - albedo)).astype(
        np.float32
    )


def fractal(rng: np.random.Generator, octave: int, *, gain: float = 0.6) -> NDArray[np.float32]:
    """Smooth noise over the map, about N(0, 0.5): three octaves from 2^(octave-2) to 2^octave cells."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    weight = 1.0
    for level in range(octave, octave - 3, -1):
        cells = rng.standard_normal((2 ** max(level - 1, 1), 2**level), dtype=np.float32)
        cells[:, -1] = cells[:, 0]
        total += weight * cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        weight *= gain
    return np.asarray(total * np.float32(0.4), np.float32)


def _plane() -> tuple[Floats, Floats]:
    """Map pixels -> sideways position on the face's front and height, decimetres."""
    angle = (np.arange(WIDTH, dtype=np.float32) / (WIDTH - 1) - 0.5) * 2 * np.pi
    across = np.where(np.abs(angle) < np.pi / 2, np.sin(angle), np.sign(angle)) * _FRONT_RADIUS
    up = _TOP_Y - np.arange(HEIGHT, dtype=np.float32) / (HEIGHT - 1) * (_TOP_Y - _BOTTOM_Y)
    x, y = np.meshgrid(across.astype(np.float32), up.astype(np.float32))
    return x, y


def _spot(across: Floats, up: Floats, x: float, y: float, size: float) -> Floats:
    return np.exp(-(((across - x) ** 2 + (up - y) ** 2) / np.float32(2 * size * size)))


def _brows(across: Floats, up: Floats, rng: np.random.Generator, person: Person) -> Floats:
    """Coverage of the brows: a tapering arch, broken into upright hairs."""
    hair = person.hair
    along = np.clip((np.abs(across) - 0.1) / 0.46, 0, 1)
    inside = (np.abs(across) > 0.08) & (np.abs(across) < 0.58)
    middle = (
        7.475 + hair.brow_height + hair.brow_arch * np.sin(np.pi * along**1.3) - 0.05 * along**3
    )
    thick = hair.brow_thickness * (1.05 - 0.75 * along**2)
    body = np.clip(1.6 - 1.6 * np.abs(up - middle) / thick, 0, 1) * inside
    strands = rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32)
    texture = np.clip(0.75 + 1.4 * cv2.GaussianBlur(strands, (0, 0), 0.8, sigmaY=2.2), 0, 1)
    cover = np.clip(body * (0.35 + 0.65 * texture) * hair.brow_density, 0, 0.94)
    return np.asarray(cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.9), np.float32)


def _beard(
    albedo: Floats, across: Floats, up: Floats, rng: np.random.Generator, person: Person
) -> None:
    """Stubble to full beard, and a moustache: cover the albedo in place."""
    hair = person.hair
    if max(hair.beard, hair.moustache) <= 0:
        return
    side = np.abs(across)
    upper = 6.5 + 0.55 * np.clip((side - 0.2) / 0.75, 0, 1) ** 1.3
    jaw = _ramp(upper - up, 0.07) * _ramp(up - 5.95, 0.12) * _ramp(1.05 - side, 0.1)
    chin = _ramp(6.47 - up, 0.04) * _ramp(up - 6.0, 0.1) * _ramp(0.36 - side, 0.1)
    lip = _ramp(6.86 - up, 0.03) * _ramp(up - 6.68, 0.03) * _ramp(0.33 - side, 0.06)
    sides = (
        _ramp(0.42 - side, 0.05)
        * _ramp(side - 0.26, 0.04)
        * _ramp(6.8 - up, 0.05)
        * _ramp(up - 6.3, 0.1)
    )
    cover = hair.beard * np.maximum(np.maximum(jaw, chin), sides) + hair.moustache * lip
    grain = cv2.GaussianBlur(
        rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32), (0, 0), 0.9, sigmaY=1.6
    )
    cover = np.clip(cover * (0.8 + 0.9 * grain), 0, 0.93)[..., None].astype(np.float32)
    albedo += cover * (np.array(hair.colour, np.float32) * 1.1 + 0.004 - albedo)


def _wrinkle(
    albedo: Floats, across: Floats, up: Floats, rng: np.random.Generator, age: float
) -> None:
    """Darker furrows across the forehead, beside the nose and the eyes: in place."""
    if age < 0.15:
        return
    shade = np.zeros_like(across)
    wobble = 0.03 * fractal(rng, 4)
    for _ in range(int(2 + 4 * age)):
        y = float(rng.uniform(7.62, 7.92))
        line = np.exp(-(((up + wobble - y) / 0.012) ** 2)) * _ramp(0.5 - np.abs(across), 0.2)
        shade += line * float(rng.uniform(0.3, 1))
    fold = 0.24 + 0.55 * np.clip(6.95 - up, 0, 0.45)
    shade += (
        1.3
        * np.exp(-(((np.abs(across) + wobble - fold) / 0.02) ** 2))
        * _ramp(up - 6.5, 0.1)
        * _ramp(6.95 - up, 0.05)
    )
    albedo *= 1 - np.clip(0.3 * age * shade, 0, 0.4)[..., None].astype(np.float32)


def _ramp(value: NDArray[np.floating[Any]], width: float) -> Floats:
    """0 below -width, 1 above +width, smooth between."""
    t = np.clip(value / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
