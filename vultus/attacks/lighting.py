"""Light on an aligned chip: how much, from where, of which colour. In linear light, then clipped."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage
from vultus.synthetic.camera import to_display, to_linear

_READ_NOISE = 0.002
_SHOT_NOISE = 0.004
_NEUTRAL_MIRED = 1e6 / 6504
_WAVELENGTHS_M = np.array([600e-9, 540e-9, 450e-9])
_SECOND_RADIATION = 1.438777e-2  # h c / k, metre kelvin
_LEAST_MIRED = 25.0


def exposed(chip: RgbImage, ev: float, rng: np.random.Generator) -> RgbImage:
    """Light times 2^ev. Darker than the picture was, sensor noise shows; brighter, whites clip.

    The camera does not make up for it: its gain is what the noise of the dark picture stands for.
    """
    light = _linear(chip) * 2.0**ev
    if ev < 0:
        grain = rng.normal(0, 1, light.shape)
        light = light + grain * np.sqrt(_READ_NOISE**2 + _SHOT_NOISE**2 * light)
    return _display(light)


def lit_from_side(chip: RgbImage, ev: float, rng: np.random.Generator) -> RgbImage:
    """Lamp on the left or right: brightness falls by `ev` across the face, the mean of it stays."""
    side = len(chip)
    across = np.linspace(-0.5, 0.5, side) * (1 if rng.random() < 0.5 else -1)
    # The turn from light to shade lies on the nose, softened as over a rounded head.
    fall = np.exp2(ev * np.tanh(3 * across) / (2 * np.tanh(1.5)))
    light = _linear(chip)
    lit = light * fall[None, :, None]
    return _display(lit * (light.mean() / max(float(lit.mean()), 1e-6)))


def tempered(chip: RgbImage, mired: float, _: np.random.Generator) -> RgbImage:
    """Light warmer (mired > 0) or colder by so much than the camera is balanced for.

    Channels get the ratio of two black bodies at 600, 540 and 450 nm; luminance stays.
    """
    from_here = _planck(_NEUTRAL_MIRED)
    there = _planck(max(_NEUTRAL_MIRED + mired, _LEAST_MIRED))
    gain = there / from_here
    gain /= gain @ np.array([0.2126, 0.7152, 0.0722])
    return _display(_linear(chip) * gain)


def _planck(mired: float) -> NDArray[np.float64]:
    kelvin = 1e6 / mired
    exponent = _SECOND_RADIATION / (_WAVELENGTHS_M * kelvin)
    return np.asarray(1 / (_WAVELENGTHS_M**5 * np.expm1(exponent)))


def _linear(chip: RgbImage) -> NDArray[np.float32]:
    return to_linear(np.asarray(chip, np.float32) / np.float32(255))


def _display(light: NDArray[np.floating]) -> RgbImage:
    shown = to_display(np.asarray(np.clip(light, 0, 1), np.float32))
    return np.asarray(cv2.convertScaleAbs(np.asarray(shown, np.float32), alpha=255.0), np.uint8)
