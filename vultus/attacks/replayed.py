"""A face on a screen: sub-pixels that beat against the sensor, backlight, reflections, bezel."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.attacks.camera import Linear
from vultus.attacks.view import glare

Layout = Literal["rgb", "bgr", "staggered"]
_COLOURED, _CLIPPED = 0.9, 0.1
"""How often a screen has colours of its own, and burnt-out highlights: colour is what a network
learns most from, strong clipping what misleads it."""


@dataclass(frozen=True)
class ReplayMedium:
    """Named parameters of one screen."""

    brightness: float
    gamma: float
    saturation: float
    tint: float
    black: float
    pixels_per_pixel: float
    angle_deg: float
    layout: Layout
    grid: float
    banding: float
    banding_period: float
    shading: float
    reflection: float
    blend: float
    bezel: float
    bezel_tone: float
    clipping: float

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def sample_replay(rng: np.random.Generator) -> ReplayMedium:
    """Draw one phone, tablet or monitor."""
    layouts: tuple[Layout, ...] = ("rgb", "bgr", "staggered")
    coloured = rng.random() < _COLOURED
    return ReplayMedium(
        brightness=float(rng.uniform(0.5, 1.0)),
        gamma=float(rng.uniform(0.75, 1.35)) if coloured else 1.0,
        saturation=float(rng.uniform(0.55, 1.35)) if coloured else 1.0,
        tint=float(np.clip(rng.normal(0.18, 0.22), -0.5, 0.7)) if coloured else 0.0,
        black=float(10 ** rng.uniform(-2.6, -0.85)) if coloured else 0.003,
        pixels_per_pixel=float(rng.uniform(0.35, 2.6)),
        angle_deg=float(rng.normal(0, 4)),
        layout=layouts[int(rng.integers(3))],
        grid=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.5 else 0.0,
        banding=float(rng.uniform(0.02, 0.12)) if rng.random() < 0.3 else 0.0,
        banding_period=float(rng.uniform(0.15, 0.8)),
        shading=float(rng.uniform(0, 0.25)),
        reflection=float(rng.uniform(0.01, 0.16)) if rng.random() < 0.5 else 0.0,
        blend=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.2 else 0.0,
        bezel=float(rng.uniform(0.02, 0.09)),
        bezel_tone=float(rng.uniform(0.003, 0.05)),
        clipping=float(rng.uniform(1.2, 1.8)) if rng.random() < _CLIPPED else 1.0,
    )


def screen_of(face: Linear, medium: ReplayMedium, rng: np.random.Generator) -> Linear:
    """The light a screen sends while it shows the face; bezel included, same shape."""
    shown = np.power(np.clip(face * np.float32(medium.clipping), 0, 1), np.float32(medium.gamma))
    if medium.blend:
        moved = np.roll(shown, (int(rng.integers(-2, 3)), int(rng.integers(-3, 4))), axis=(0, 1))
        shown = shown * np.float32(1 - medium.blend) + moved * np.float32(medium.blend)
    grey = shown.mean(-1, keepdims=True)
    shown = np.clip(grey + (shown - grey) * np.float32(medium.saturation), 0, 1)
    colour = np.array([1 - medium.tint, 1.0, 1 + medium.tint], np.float32)
    sent = (np.float32(medium.black) + shown * np.float32(1 - medium.black)) * colour
    height, width = face.shape[:2]
    sent = sent * np.float32(medium.brightness) * _unevenness(medium, (height, width), rng)
    return _with_bezel(sent, medium)


def through_glass(
    view: Linear, cover: NDArray[np.float32], medium: ReplayMedium, rng: np.random.Generator
) -> Linear:
    """What the camera sees of the screen: the sub-pixel grid beating against its own, reflections.

    Args:
        view: linear float32 [H, W, 3], the whole camera picture.
        cover: float32 [H, W, 1], where the screen is.
    """
    height, width = view.shape[:2]
    lit = view * (1 + cover * (_subpixels(medium, (height, width)) - 1))
    if medium.reflection:
        lit = lit + cover * glare(rng, (height, width), medium.reflection)
    return np.asarray(lit, np.float32)


def _subpixels(medium: ReplayMedium, shape: tuple[int, int]) -> Linear:
    """Transmission of the pixel mask, integrated in closed form over the camera pixel's aperture.

    Each colour is lit in one third of a screen pixel. The first harmonic of that comb, sampled at the
    camera's pixels, aliases into moire by itself; the aperture's sinc attenuates it. float32 [H, W, 3].
    """
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.radians(medium.angle_deg)
    u = (x * np.cos(angle) + y * np.sin(angle)) * np.float32(medium.pixels_per_pixel)
    v = (-x * np.sin(angle) + y * np.cos(angle)) * np.float32(medium.pixels_per_pixel)
    aperture = float(np.abs(np.sinc(medium.pixels_per_pixel)))
    strength = medium.grid * max(aperture, 0.12) * 0.55
    phases = {"rgb": (0, 1, 2), "bgr": (2, 1, 0), "staggered": (0, 1, 2)}[medium.layout]
    row = np.floor(v) % 2 / 2 if medium.layout == "staggered" else np.zeros_like(v)
    mask = np.empty((height, width, 3), np.float32)
    gap = 1 + 0.5 * strength * np.cos(2 * np.pi * v)
    for channel, phase in enumerate(phases):
        mask[..., channel] = gap * (1 + strength * np.cos(2 * np.pi * (u + row - phase / 3)))
    return mask


def _unevenness(medium: ReplayMedium, shape: tuple[int, int], rng: np.random.Generator) -> Linear:
    """Fall-off with the viewing angle, and the bands of a rolling shutter. float32 [H, W, 1]."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    slope = (x / width - 0.5) * np.cos(turn) + (y / height - 0.5) * np.sin(turn)
    even = 1 + medium.shading * slope
    if medium.banding:
        wave = 2 * np.pi * y / (height * medium.banding_period) + rng.uniform(0, 6)
        even = even * (1 + medium.banding * np.sin(wave))
    return np.asarray(even, np.float32)[..., None]


def _with_bezel(sent: Linear, medium: ReplayMedium) -> Linear:
    """A dark frame around the shown picture."""
    height, width = sent.shape[:2]
    margin = max(1, round(medium.bezel * min(height, width)))
    framed = np.full_like(sent, medium.bezel_tone)
    inner = cv2.resize(
        sent, (width - 2 * margin, height - 2 * margin), interpolation=cv2.INTER_AREA
    )
    framed[margin : height - margin, margin : width - margin] = inner
    return framed
