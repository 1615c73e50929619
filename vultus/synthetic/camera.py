"""A mild everyday camera: optics, exposure, white balance, noise, tone curve, JPEG."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage


@dataclass(frozen=True)
class Camera:
    """Named parameters of one capture."""

    blur_px: float
    motion_px: float
    motion_deg: float
    exposure: float
    white_balance: tuple[float, float, float]
    vignette: float
    shot_noise: float
    read_noise: float
    contrast: float
    saturation: float
    jpeg_quality: int


def sample_camera(rng: np.random.Generator) -> Camera:
    """A camera of a phone, laptop or webcam in ordinary use."""
    tilt = rng.normal(0, 0.05)
    return Camera(
        blur_px=float(abs(rng.normal(0, 0.55))),
        motion_px=float(rng.exponential(1.5)) if rng.random() < 0.15 else 0.0,
        motion_deg=float(rng.uniform(0, 180)),
        exposure=float(np.exp(rng.normal(0, 0.16))),
        white_balance=(float(1 + tilt), 1.0, float(1 - tilt + rng.normal(0, 0.02))),
        vignette=float(rng.uniform(0, 0.25)),
        shot_noise=float(rng.uniform(0.002, 0.014)),
        read_noise=float(rng.uniform(0.001, 0.006)),
        contrast=float(rng.uniform(0.0, 0.35)),
        saturation=float(rng.uniform(0.8, 1.15)),
        jpeg_quality=int(rng.integers(72, 97)),
    )


def capture(linear: NDArray[np.float32], camera: Camera, rng: np.random.Generator) -> RgbImage:
    """Take the picture.

    Args: linear: float32 [H, W, 3], scene radiance, about 1 = white paper in good light.
    Returns: RGB uint8 [H, W, 3], before JPEG.
    """
    image = linear * np.array(camera.white_balance, np.float32)
    image *= _auto_exposure(image) * camera.exposure
    if camera.blur_px > 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), camera.blur_px), np.float32)
    if camera.motion_px >= 1:
        kernel = _motion(camera.motion_px, camera.motion_deg)
        image = np.asarray(cv2.filter2D(image, -1, kernel), np.float32)
    image = np.asarray(image, np.float32) * _vignette(image.shape[:2], camera.vignette)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image += noise * np.sqrt(np.maximum(image, 0) * camera.shot_noise**2 * 4 + camera.read_noise**2)
    grey = image @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    image = grey[..., None] + (image - grey[..., None]) * np.float32(camera.saturation)
    display = to_display(np.clip(image, 0, 1))
    curve = display * display * (3 - 2 * display)
    display += np.float32(camera.contrast) * (curve - display)
    return np.asarray(np.rint(np.clip(display, 0, 1) * 255), np.uint8)


def to_display(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear light in [0, 1] -> sRGB code values in [0, 1] (IEC 61966-2-1)."""
    low = linear * np.float32(12.92)
    high = np.float32(1.055) * np.power(np.maximum(linear, 1e-8), np.float32(1 / 2.4)) - np.float32(
        0.055
    )
    return np.where(linear <= 0.0031308, low, high).astype(np.float32)


def to_linear(display: NDArray[np.float32]) -> NDArray[np.float32]:
    """sRGB code values in [0, 1] -> linear light in [0, 1] (IEC 61966-2-1)."""
    low = display / np.float32(12.92)
    high = np.power((display + np.float32(0.055)) / np.float32(1.055), np.float32(2.4))
    return np.where(display <= 0.04045, low, high).astype(np.float32)


def _auto_exposure(image: NDArray[np.float32]) -> np.float32:
    """Gain that puts the brightest percents near white and the middle near a fifth, halfway each."""
    grey = image[::4, ::4].mean(-1)
    bright = 0.82 / max(float(np.quantile(grey, 0.97)), 1e-3)
    middle = 0.2 / max(float(grey.mean()), 1e-3)
    return np.float32(np.sqrt(min(bright, 3 * middle) * min(middle, 2 * bright)))


def _motion(length_px: float, angle_deg: float) -> NDArray[np.float32]:
    side = int(length_px) * 2 + 3
    kernel = np.zeros((side, side), np.float32)
    middle = side // 2
    along = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))]) * length_px / 2
    start = (round(middle - along[0]), round(middle - along[1]))
    end = (round(middle + along[0]), round(middle + along[1]))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _vignette(shape: tuple[int, int], strength: float) -> NDArray[np.float32]:
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :, None]
    return np.asarray(1 - np.float32(strength) * (x * x + y * y) / 2, np.float32)
