"""A face on paper: ink gamut, halftone, paper, bend, border, glare."""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from vultus.attacks.camera import Linear
from vultus.attacks.view import glare


@dataclass(frozen=True)
class PrintMedium:
    """Named parameters of one print."""

    black: float
    white: tuple[float, float, float]
    gamut: float
    dot_px: float
    screen: float
    grain: float
    bend_shade: float
    bend_deg: float
    crease: float
    border: float
    gloss: float
    light: tuple[float, float, float]

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def sample_print(rng: np.random.Generator) -> PrintMedium:
    """Draw one print: office laser, ink jet or photo paper."""
    photo = rng.random() < 0.4
    tint = rng.normal(0, 0.03, 3)
    level = float(rng.uniform(0.55, 1.0))
    warm = float(rng.normal(0, 0.1))
    return PrintMedium(
        black=float(rng.uniform(0.012, 0.035) if photo else rng.uniform(0.03, 0.1)),
        white=(float(0.9 + tint[0]), float(0.9 + tint[1]), float(0.88 + tint[2])),
        gamut=float(rng.uniform(0.75, 0.95) if photo else rng.uniform(0.5, 0.85)),
        dot_px=float(rng.uniform(0.7, 1.4) if photo else rng.uniform(1.0, 3.2)),
        screen=0.0 if photo and rng.random() < 0.5 else float(rng.uniform(0.15, 0.7)),
        grain=float(rng.uniform(0.002, 0.03)),
        bend_shade=float(rng.uniform(0, 0.35)),
        bend_deg=float(rng.uniform(0, 180)),
        crease=float(rng.uniform(0.1, 0.4)) if rng.random() < 0.15 else 0.0,
        border=float(rng.uniform(0.0, 0.12)),
        gloss=float(rng.uniform(0.0, 0.25) if photo else rng.uniform(0, 0.05)),
        light=(level * (1 + warm), level, level * (1 - warm)),
    )


def print_of(face: Linear, medium: PrintMedium, rng: np.random.Generator) -> Linear:
    """What the sheet reflects. face: linear float32 [H, W, 3]; same shape comes back."""
    grey = face.mean(-1, keepdims=True)
    ink = grey + (face - grey) * np.float32(medium.gamut)
    reflect = np.float32(medium.black) + ink * (np.array(medium.white, np.float32) - medium.black)
    if medium.screen > 0:
        reflect = _halftone(reflect, medium)
    height, width = face.shape[:2]
    fibres = rng.standard_normal((height, width, 1), dtype=np.float32)
    reflect = reflect * (
        1 + np.float32(medium.grain) * cv2.GaussianBlur(fibres, (0, 0), 0.8)[..., None]
    )
    reflect = _bordered(reflect, medium)
    lit = reflect * np.array(medium.light, np.float32) * _bend(medium, (height, width), rng)
    return np.asarray(lit + glare(rng, (height, width), medium.gloss), np.float32)


def _halftone(reflect: Linear, medium: PrintMedium) -> Linear:
    """Amplitude-modulated dots, one angle an ink, already averaged over the camera's pixel."""
    height, width = reflect.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    result = reflect.copy()
    for channel, degrees in enumerate((15.0, 75.0, 0.0)):
        angle = np.radians(degrees)
        u = (x * np.cos(angle) + y * np.sin(angle)) * (2 * np.pi / (2 * medium.dot_px))
        v = (-x * np.sin(angle) + y * np.cos(angle)) * (2 * np.pi / (2 * medium.dot_px))
        tone = np.clip(reflect[..., channel], 0, 1)
        depth = 2 * np.sqrt(np.clip(tone * (1 - tone), 0, 1))  # mid-tones show dots, paper does not
        result[..., channel] = tone + medium.screen * 0.18 * depth * np.cos(u) * np.cos(v)
    return np.clip(result, 0, 1)


def _bordered(reflect: Linear, medium: PrintMedium) -> Linear:
    """Unprinted paper along the edges."""
    margin = round(medium.border * min(reflect.shape[:2]))
    if margin < 1:
        return reflect
    bordered = np.empty_like(reflect)
    bordered[:] = np.array(medium.white, np.float32)
    height, width = reflect.shape[:2]
    inner = cv2.resize(
        reflect, (width - 2 * margin, height - 2 * margin), interpolation=cv2.INTER_AREA
    )
    bordered[margin : height - margin, margin : width - margin] = inner
    return bordered


def _bend(medium: PrintMedium, shape: tuple[int, int], rng: np.random.Generator) -> Linear:
    """Shading of a curved sheet, and of one crease. float32 [H, W, 1]."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.radians(medium.bend_deg)
    along = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle)
    shade = 1 - medium.bend_shade * (0.5 + np.sin(np.pi * along + rng.uniform(-1, 1)) * 0.5)
    if medium.crease:
        offset = along - rng.uniform(-0.3, 0.3)
        shade = shade * (1 - medium.crease * np.exp(-((offset / 0.01) ** 2)) * np.sign(offset))
    return np.asarray(shade, np.float32)[..., None]
