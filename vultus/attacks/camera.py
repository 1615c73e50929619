"""The camera before which attacks are held, and bona fide faces too: the class must not show in it.

Both classes leave through this one; an attack only has a medium, and with it one capture, more.
Kept mild: a harsh camera makes bona fide pictures look recaptured to a network that knows real attacks.
"""

from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.synthetic.camera import to_display, to_linear

Linear = NDArray[np.float32]
_MOVED, _RESIZED, _RESAVED = 0.2, 0.35, 0.3
"""How often the hand shakes, the file is scaled down, and it is saved twice."""
_BRIGHT = 97
"""Percentile that the automatic exposure brings to `exposure`."""


@dataclass(frozen=True)
class RecaptureCamera:
    """Named parameters of one capture; `strength` in [0, 1] scaled all of them when it was drawn."""

    strength: float
    defocus_px: float
    motion_px: float
    motion_deg: float
    exposure: float
    white_balance: tuple[float, float, float]
    vignette: float
    mosaic: bool
    shot_noise: float
    read_noise: float
    contrast: float
    saturation: float
    sharpen: float
    shrink: float
    jpeg: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return asdict(self)


def sample_recapture_camera(rng: np.random.Generator) -> RecaptureCamera:
    """Draw one camera."""
    strength = float(rng.uniform(0, 0.8))
    return RecaptureCamera(
        strength=strength,
        defocus_px=float(abs(rng.normal(0, 0.8 * strength))),
        motion_px=float(rng.uniform(0, 4 * strength)) if rng.random() < _MOVED else 0.0,
        motion_deg=float(rng.uniform(0, 180)),
        exposure=float(min(1.0, np.exp(rng.normal(-0.35, 0.12 + 0.3 * strength)))),
        white_balance=(
            float(np.exp(rng.normal(0, 0.09 * strength))),
            1.0,
            float(np.exp(rng.normal(0, 0.11 * strength))),
        ),
        vignette=float(rng.uniform(0, 0.35 * strength)),
        mosaic=bool(rng.random() < 0.5),
        shot_noise=float(rng.uniform(0.002, 0.003 + 0.008 * strength)),
        read_noise=float(rng.uniform(0.001, 0.0015 + 0.003 * strength)),
        contrast=float(rng.uniform(-0.1, 0.35) * strength),
        saturation=float(np.exp(rng.normal(0, 0.18 * strength))),
        sharpen=float(rng.uniform(0, 0.7) * strength),
        shrink=float(rng.uniform(0.6, 1.0)) if rng.random() < _RESIZED else 1.0,
        jpeg=tuple(
            int(rng.integers(round(94 - 60 * strength), 97))
            for _ in range(2 if rng.random() < _RESAVED else 1)
        ),
    )


def recapture(scene: Linear, camera: RecaptureCamera, rng: np.random.Generator) -> RgbImage:
    """Take a picture of a linear-light scene.

    Exposure is automatic: how bright a screen or a room is does not show in the picture.

    Args: scene: float32 [H, W, 3], 1 = display white.
    Returns: RGB uint8 [H, W, 3], as the camera's JPEG is unpacked; H and W times `shrink`.
    """
    brightest = float(np.percentile(scene[::4, ::4].max(-1), _BRIGHT))
    gain = camera.exposure / max(brightest, 0.02)
    image = scene * (np.array(camera.white_balance, np.float32) * np.float32(gain))
    if camera.defocus_px > 0.2:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), camera.defocus_px), np.float32)
    if camera.motion_px > 0.5:
        image = _moved(image, camera)
    height, width = image.shape[:2]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    image = image * (1 - np.float32(camera.vignette) * (x * x + y * y) / 2)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = image + noise * np.sqrt(
        np.maximum(image, 0) * np.float32(4 * camera.shot_noise**2)
        + np.float32(camera.read_noise**2)
    )
    if camera.mosaic:
        image = _mosaic(np.clip(image, 0, 1))
    grey = (image @ np.array([0.2126, 0.7152, 0.0722], np.float32))[..., None]
    display = to_display(np.clip(grey + (image - grey) * np.float32(camera.saturation), 0, 1))
    curve = display * display * (3 - 2 * display)
    display = display + np.float32(camera.contrast) * (curve - display)
    if camera.sharpen > 0.05:
        soft = cv2.GaussianBlur(display, (0, 0), 1.0)
        display = display + np.float32(camera.sharpen) * (display - soft)
    seen = np.asarray(np.rint(np.clip(display, 0, 1) * 255), np.uint8)
    return _saved(seen, camera)


def linear_of(image: RgbImage) -> Linear:
    """RGB uint8 -> linear light float32 [H, W, 3] in [0, 1]."""
    return to_linear(image.astype(np.float32) / np.float32(255))


def _moved(image: Linear, camera: RecaptureCamera) -> Linear:
    """Smeared along a line of `motion_px` pixels."""
    reach = int(np.ceil(camera.motion_px / 2))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    angle = np.radians(camera.motion_deg)
    along, off = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    line = np.clip(camera.motion_px / 2 + 0.5 - abs(along), 0, 1) * np.clip(1 - abs(off), 0, 1)
    return np.asarray(cv2.filter2D(image, -1, line / line.sum()), np.float32)


def _saved(image: RgbImage, camera: RecaptureCamera) -> RgbImage:
    """Scaled down where the camera does it, written as JPEG and read back, once or twice."""
    if camera.shrink < 1:
        size = (round(image.shape[1] * camera.shrink), round(image.shape[0] * camera.shrink))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    for quality in camera.jpeg:
        image = decode_image(encode_jpeg(image, quality=quality))
    return image


def _mosaic(image: Linear) -> Linear:
    """Keep one colour a pixel (RGGB) and interpolate the others, as a sensor does."""
    raw = np.empty(image.shape[:2], np.float32)
    raw[0::2, 0::2] = image[0::2, 0::2, 0]
    raw[0::2, 1::2] = image[0::2, 1::2, 1]
    raw[1::2, 0::2] = image[1::2, 0::2, 1]
    raw[1::2, 1::2] = image[1::2, 1::2, 2]
    deep = np.asarray(np.sqrt(raw) * 65535, np.uint16)
    colour = cv2.cvtColor(deep, cv2.COLOR_BayerBG2RGB).astype(np.float32) / np.float32(65535)
    return np.asarray(colour * colour, np.float32)
