"""Quality of one face picture, 0-100, higher is better: components that need no network.

Names follow ISO/IEC 29794-5:2025. The maps to 0-100 are those of its reference software OFIQ where
the docstring says so; regions are ours, since the standard's come from networks, and luma (Rec. 601)
stands for its luminance: compare the figures with each other, not with another product's.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Box, Boxes, Landmarks, RgbImage
from vultus.errors import DegenerateLandmarks
from vultus.faces.alignment import align
from vultus.faces.boxes import areas
from vultus.faces.context import window
from vultus.faces.framing import framing, sigmoid
from vultus.faces.pose import pose_deg
from vultus.faces.skin import (
    BRIDGE,
    CHIN,
    EYES,
    FOREHEAD,
    LEFT_CHEEK,
    RIGHT_CHEEK,
    colour_of,
    part,
)

Floats = NDArray[np.float32]
LOWEST_QUALITY = 15.0
"""Unified quality (0-100) below which a picture carries no face to compare. Low on purpose: the least of
593 photographs of real faces, small and compressed ones among them, was 38."""
_SIDE = 128
_SHARP_HALF = 60.0
"""Laplacian variance of a 128-pixel face that gives 50 (median of mildly blurred renders: guess)."""
_EYES_FULL_PX = 60.0
"""Eye distance that gives 100; ISO/IEC 29794-5 asks for 90 in travel documents, 60 in access control."""
_POSE_LIMIT_DEG = 60.0
_INNER_FACE = (22, 22, 90, 106)
"""Of a 112-pixel chip: brows to chin, without ears and background."""
_CHIP_COMPONENTS = (
    "luminance_mean",
    "luminance_variance",
    "illumination_uniformity",
    "natural_colour",
    "eyes_visible_hint",
    "mouth_occlusion_prevention_hint",
)
_SURROUND = 2.4
_BACKGROUND_SIDE = 128


def quality(
    image: RgbImage, box: Box, landmarks: Landmarks, others: Boxes | None = None
) -> dict[str, float]:
    """Measure one face.

    Args:
        image: RGB uint8 [H, W, 3].
        box: float32 [4], pixels; landmarks: float32 [5, 2], pixels.
        others: float32 [N, 4], further faces of the picture.
    Returns: QUALITY_COMPONENTS -> 0..100; `unified` is the geometric mean of sharpness, exposure (both
        ends), dynamic range, eye distance and head pose, so that one very bad component is not hidden
        by good ones; it is not the standard's unified score, which a network gives. Landmarks that
        allow no alignment give 0 for what is read from the aligned face.
    """
    x1, y1, x2, y2 = window(box, 1.0, image.shape)
    face = cv2.resize(image[y1:y2, x1:x2], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    eyes_px = float(np.hypot(*(landmarks[1] - landmarks[0])))
    yaw, pitch, _ = pose_deg(landmarks)
    parts = {
        "sharpness": _sharpness(grey, eyes_px),
        "under_exposure_prevention": 100 * (1 - float(np.mean(grey < 26)) ** 0.7),
        "over_exposure_prevention": 100 * (1 - float(np.mean(grey > 247)) ** 0.7),
        "dynamic_range": _dynamic_range(grey),
        "inter_eye_distance": 100 * min(1.0, eyes_px / _EYES_FULL_PX),
        "head_pose": 100 * max(0.0, 1 - (abs(yaw) + abs(pitch)) / _POSE_LIMIT_DEG),
    }
    floored = np.maximum(list(parts.values()), 1.0)
    unified = float(np.exp(np.mean(np.log(floored))))
    try:
        parts |= _of_chip(align(image, landmarks))
    except DegenerateLandmarks:
        parts |= dict.fromkeys(_CHIP_COMPONENTS, 0.0)
    parts |= framing(landmarks, image.shape)
    parts["background_uniformity"] = _background_uniformity(image, box)
    parts["single_face_present"] = _single_face_present(box, others)
    parts["unified"] = unified
    return {name: float(np.clip(value, 0, 100)) for name, value in parts.items()}


def _of_chip(chip: RgbImage) -> dict[str, float]:
    """Light and colour of the skin, and two hints of what hides it; chip uint8 [112, 112, 3].

    luminance_mean: 100·σ(m; 0.2, 0.05)·(1 - σ(m; 0.8, 0.05)), m = mean luma in 0..1 (OFIQ);
    luminance_variance: 100·sin(π·60v / (60v + 1)), v = its variance (OFIQ);
    illumination_uniformity: 100·(shared area of both cheeks' luma histograms)^0.3 (OFIQ, its regions
        are wider);
    natural_colour: 200·(1 - σ(D; 0, 10)), D = `SkinColour.tint` of the cheeks (OFIQ).
    """
    luma = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    inner = part(luma, _INNER_FACE)
    mean, spread = float(inner.mean()), float(inner.var())
    tint = colour_of(chip, (LEFT_CHEEK, RIGHT_CHEEK)).tint
    values = (
        100 * sigmoid(mean, 0.2, 0.05) * (1 - sigmoid(mean, 0.8, 0.05)),
        100 * float(np.sin(np.pi * 60 * spread / (60 * spread + 1))),
        100 * _shared_light(luma) ** 0.3,
        200 * (1 - sigmoid(tint, 0, 10)),
        _eyes_visible_hint(luma),
        _mouth_hint(chip),
    )
    return dict(zip(_CHIP_COMPONENTS, values, strict=True))


def _shared_light(luma: Floats) -> float:
    """Histogram intersection of the two cheeks, 0..1; 16 steps of grey, the regions are small."""
    left, right = (
        np.bincount((part(luma, side).reshape(-1) * 15.99).astype(np.intp), minlength=16)
        for side in (LEFT_CHEEK, RIGHT_CHEEK)
    )
    return float(np.minimum(left, right).sum() / left.sum())


def _eyes_visible_hint(luma: Floats) -> float:
    """A hint, no more: 100 while less than half of the worse eye's region is darker than half the
    cheeks; 0 from nine tenths on, as behind dark glasses or hair. Our own."""
    cheeks = float(np.median([np.median(part(luma, side)) for side in (LEFT_CHEEK, RIGHT_CHEEK)]))
    dark = max(float(np.mean(part(luma, eye) < 0.5 * cheeks)) for eye in EYES)
    return 100 * float(np.clip((0.9 - dark) / 0.4, 0, 1))


def _mouth_hint(chip: RgbImage) -> float:
    """A hint, no more: 100·(1 - σ(d; 25, 6)), d = CIELAB distance of the chin from forehead and bridge
    of the nose. A face mask lowers it, and so do a beard and a shadow. Our own."""
    chin, upper = colour_of(chip, [CHIN]), colour_of(chip, (FOREHEAD, BRIDGE))
    apart = np.hypot(
        0.5 * (chin.lightness - upper.lightness), np.hypot(chin.a - upper.a, chin.b - upper.b)
    )
    return 100 * (1 - sigmoid(float(apart), 25, 6))


def _background_uniformity(image: RgbImage, box: Box) -> float:
    """190·(1 - σ(g; 10, 100)), g = mean Sobel gradient of the luma beside and above the head (OFIQ);
    0 where the picture shows no background."""
    x1, y1, x2, y2 = window(box, _SURROUND, image.shape)
    scale = _BACKGROUND_SIDE / max(x2 - x1, y2 - y1)
    size = (max(round((x2 - x1) * scale), 1), max(round((y2 - y1) * scale), 1))
    around = cv2.resize(image[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(around, cv2.COLOR_RGB2GRAY)
    left, top, right, bottom = ((box - np.array([x1, y1, x1, y1])) * scale).tolist()
    wide, high = right - left, bottom - top
    seen = np.zeros(grey.shape, bool)
    # Below the mouth there are shoulders, however plain the wall.
    beside = seen[: max(int(bottom - 0.25 * high), 0)]
    beside[:, : max(int(left - 0.25 * wide), 0)] = True
    beside[:, max(int(np.ceil(right + 0.25 * wide)), 0) :] = True
    seen[: max(int(top - 0.45 * high), 0)] = True
    if not seen.any():
        return 0.0
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return 190 * (1 - sigmoid(float(np.hypot(across, down)[seen].mean()), 10, 100))


def _single_face_present(box: Box, others: Boxes | None) -> float:
    """100·(1 - area of the largest other face / area of this one) (ISO/IEC 29794-5, OFIQ)."""
    if others is None or len(others) == 0:
        return 100.0
    own = max(float(areas(box[None])[0]), 1e-6)
    return 100 * (1 - float(areas(others).max()) / own)


def _sharpness(grey: Floats, eyes_px: float) -> float:
    """Variance of the Laplacian; a face blown up from few pixels cannot be sharp."""
    variance = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return 100 * variance / (variance + _SHARP_HALF) * min(1.0, eyes_px / 20.0)


def _dynamic_range(grey: Floats) -> float:
    """Entropy of the grey histogram against the 7 bits of a well exposed face."""
    counts = np.histogram(grey, bins=256, range=(0, 256))[0].astype(np.float64)
    share = counts[counts > 0] / counts.sum()
    return float(100 * min(1.0, -(share * np.log2(share)).sum() / 7.0))
