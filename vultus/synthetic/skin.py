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
    """Base-mesh positions float32 [3, N] -> map coordinates x, y (pixels), float32 [N] each."""
    angle = np.arctan2(base[0], base[2] - np.float32(_AXIS_Z))
    x = angle * np.float32((WIDTH - 1) / (2 * np.pi)) + np.float32((WIDTH - 1) / 2)
    y = (np.float32(_TOP_Y) - base[1]) * np.float32((HEIGHT - 1) / (_TOP_Y - _BOTTOM_Y))
    return x, y


def look_up(picture: Floats, base: Floats) -> Floats:
    """Sample a map of C channels at base-mesh positions float32 [3, N]: float32 [C, N]."""
    x, y = cylinder(base)
    pieces = [  # cv2.remap takes at most 32767 rows
        cv2.remap(picture, x[i : i + 30000, None], y[i : i + 30000, None], cv2.INTER_LINEAR)
        for i in range(0, max(len(x), 1), 30000)
    ]
    return np.ascontiguousarray(np.concatenate(pieces)[:, 0].T)


def paint(person: Person) -> Floats:
    """The person's albedo map, linear RGB float32 [HEIGHT, WIDTH, 3], without lips and clothes."""
    rng = np.random.default_rng([person.seed, person.index, 3])
    across, up = _plane()
    skin = person.skin
    tone = 1 + skin.mottle * (fractal(rng, 5) * 1.4 + fractal(rng, 7) * 1.1)
    albedo = np.multiply(tone, np.array(skin.albedo, np.float32)[:, None, None], dtype=np.float32)
    blood = np.zeros_like(tone)
    for x, y, size, strength in _BLOOD:
        blood += _spot(across, up, x, y, size, strength)
    blood *= 0.75 + 0.5 * fractal(rng, 6)
    _darken(albedo, skin.redness * blood, (0.15, 0.9, 0.75))
    under = _rows(6.4, 8.0)
    rings = _spot(across, up[under], -0.31, 7.18, 0.12) + _spot(across, up[under], 0.31, 7.18, 0.12)
    _darken(albedo[:, under], (0.1 + 0.12 * skin.wrinkles) * rings, (0.8, 1, 0.85))
    if skin.freckles > 0.05:
        dots = np.clip(fractal(rng, 8, gain=1.0) * 2.2 - 0.9, 0, 1) * _spot(across, up, 0, 7.0, 0.5)
        _darken(albedo, 0.45 * skin.freckles * dots, (0.5, 0.8, 1))
    for x, y, size, dark in skin.moles:
        near = _rows(y - 6 * size, y + 6 * size)
        mole = np.minimum(_spot(across, up[near], x, y, size, 2.0), 1)
        _darken(albedo[:, near], dark * mole, (1, 1, 1))
    _wrinkle(albedo, across, up, rng, skin.wrinkles)
    _beard(albedo, across, up, rng, person)
    _brows(albedo, across, up, rng, person)
    return np.asarray(cv2.merge(list(albedo)), np.float32)


def _darken(
    albedo: Floats, shade: NDArray[np.floating[Any]], share: tuple[float, float, float]
) -> None:
    """Take `shade` float32 [H, W] of the light away, by channel, in place. albedo: float32 [3, H, W]."""
    for plane, part in zip(albedo, share, strict=True):
        plane *= 1 - np.float32(part) * shade


def _cover(albedo: Floats, cover: Floats, colour: NDArray[np.float32]) -> None:
    """Paint over `cover` float32 [H, W] of it, in place. albedo: float32 [3, H, W]."""
    for plane, value in zip(albedo, colour, strict=True):
        plane += cover * (value - plane)


def fractal(rng: np.random.Generator, octave: int, *, gain: float = 0.6) -> NDArray[np.float32]:
    """Smooth noise over the map, about N(0, 0.5): three octaves from 2^(octave-2) to 2^octave cells."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    weight = 0.4
    for level in range(octave, octave - 3, -1):
        cells = rng.standard_normal((2 ** max(level - 1, 1), 2**level), dtype=np.float32)
        cells[:, -1] = cells[:, 0]
        cells *= np.float32(weight)
        total += cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        weight *= gain
    return total


def _plane() -> tuple[Floats, Floats]:
    """Map pixels, in decimetres: sideways position on the face's front float32 [1, WIDTH], and height
    float32 [HEIGHT, 1]."""
    angle = (np.arange(WIDTH, dtype=np.float32) / (WIDTH - 1) - 0.5) * 2 * np.pi
    across = np.where(np.abs(angle) < np.pi / 2, np.sin(angle), np.sign(angle)) * _FRONT_RADIUS
    up = _TOP_Y - np.arange(HEIGHT, dtype=np.float32) / (HEIGHT - 1) * (_TOP_Y - _BOTTOM_Y)
    return across.astype(np.float32)[None, :], up.astype(np.float32)[:, None]


def _rows(low: float, high: float) -> slice:
    """The rows of the map between two heights, decimetres."""
    scale = (HEIGHT - 1) / (_TOP_Y - _BOTTOM_Y)
    first, last = (_TOP_Y - high) * scale, (_TOP_Y - low) * scale
    return slice(max(int(first), 0), min(int(last) + 2, HEIGHT))


def _spot(
    across: Floats, up: Floats, x: float, y: float, size: float, strength: float = 1.0
) -> Floats:
    """A round Gaussian; it is the product of one along and one across."""
    width = np.float32(2 * size * size)
    along = np.float32(strength) * np.exp(-((across - np.float32(x)) ** 2) / width)
    return np.asarray(np.exp(-((up - np.float32(y)) ** 2) / width) * along, np.float32)


def _brows(
    albedo: Floats, across: Floats, up: Floats, rng: np.random.Generator, person: Person
) -> None:
    """A tapering arch, broken into upright hairs, over the albedo in place; draws from `rng` last."""
    hair = person.hair
    reach = 0.1 + 1.05 * hair.brow_thickness  # a little more than is covered: it is blurred
    middle = 7.475 + hair.brow_height
    rows = _rows(middle - 0.05 - reach, middle + hair.brow_arch + reach)
    columns = _columns(across, 0.64)
    strands = rng.standard_normal((rows.stop, WIDTH), dtype=np.float32)[rows, columns]
    albedo, across, up = albedo[:, rows, columns], across[:, columns], up[rows]
    along = np.clip((np.abs(across) - 0.1) / 0.46, 0, 1)
    inside = (np.abs(across) > 0.08) & (np.abs(across) < 0.58)
    arch = middle + hair.brow_arch * np.sin(np.pi * along**1.3) - 0.05 * along**3
    thick = hair.brow_thickness * (1.05 - 0.75 * along**2)
    body = np.clip(1.6 - 1.6 * np.abs(up - arch) / thick, 0, 1) * inside
    texture = np.clip(0.75 + 1.4 * cv2.GaussianBlur(strands, (0, 0), 0.8, sigmaY=2.2), 0, 1)
    cover = np.clip(body * (0.35 + 0.65 * texture) * hair.brow_density, 0, 0.94)
    cover = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.9)
    _cover(albedo, np.asarray(cover, np.float32), np.array(hair.colour, np.float32) * 0.8)


def _columns(across: Floats, reach: float) -> slice:
    """The columns of the map within `reach` dm of the middle."""
    inside = np.flatnonzero(np.abs(across[0]) <= reach)
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _beard(
    albedo: Floats, across: Floats, up: Floats, rng: np.random.Generator, person: Person
) -> None:
    """Stubble to full beard, and a moustache: cover the albedo in place."""
    hair = person.hair
    if max(hair.beard, hair.moustache) <= 0:
        return
    rows = _rows(5.7, 7.3)
    noise = rng.standard_normal((HEIGHT, WIDTH), dtype=np.float32)[rows]
    grain = cv2.GaussianBlur(noise, (0, 0), 0.9, sigmaY=1.6)
    side, up = np.abs(across), up[rows]
    upper = 6.5 + 0.55 * np.clip((side - 0.2) / 0.75, 0, 1) ** 1.3
    jaw = _ramp(upper - up, 0.07) * (_ramp(up - 5.95, 0.12) * _ramp(1.05 - side, 0.1))
    chin = _ramp(6.47 - up, 0.04) * _ramp(up - 6.0, 0.1) * _ramp(0.36 - side, 0.1)
    lip = _ramp(6.86 - up, 0.03) * _ramp(up - 6.68, 0.03) * _ramp(0.33 - side, 0.06)
    sides = (_ramp(0.42 - side, 0.05) * _ramp(side - 0.26, 0.04)) * (
        _ramp(6.8 - up, 0.05) * _ramp(up - 6.3, 0.1)
    )
    cover = hair.beard * np.maximum(np.maximum(jaw, chin), sides) + hair.moustache * lip
    cover = np.clip(cover * (0.8 + 0.9 * grain), 0, 0.93)
    _cover(albedo[:, rows], cover, np.array(hair.colour, np.float32) * 1.1 + 0.004)


def _wrinkle(
    albedo: Floats, across: Floats, up: Floats, rng: np.random.Generator, age: float
) -> None:
    """Darker furrows across the forehead, beside the nose and the eyes: in place."""
    if age < 0.15:
        return
    wobble = 0.03 * fractal(rng, 4)
    forehead = _rows(7.3, 8.25)
    middle = _ramp(0.5 - np.abs(across), 0.2)
    lines = np.zeros_like(wobble[forehead])
    for _ in range(int(2 + 4 * age)):
        y = float(rng.uniform(7.62, 7.92))
        depth = float(rng.uniform(0.3, 1))
        line = np.exp(-(((wobble[forehead] + (up[forehead] - y)) / 0.012) ** 2))
        lines += line * (depth * middle)
    cheeks = _rows(6.35, 7.05)
    up = up[cheeks]
    fold = np.abs(across) - (0.24 + 0.55 * np.clip(6.95 - up, 0, 0.45)) + wobble[cheeks]
    fade = 1.3 * _ramp(up - 6.5, 0.1) * _ramp(6.95 - up, 0.05)
    folds = fade * np.exp(-((fold / 0.02) ** 2))
    for rows, shade in ((forehead, lines), (cheeks, folds)):
        _darken(albedo[:, rows], np.clip(0.3 * age * shade, 0, 0.4), (1, 1, 1))


def _ramp(value: NDArray[np.floating[Any]], width: float) -> Floats:
    """0 below -width, 1 above +width, smooth between."""
    t = np.clip(value / (2 * width) + 0.5, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
