"""Colour and light of the skin, read from an aligned chip: regions of the face, CIELAB, ITA."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage

Rectangle = tuple[int, int, int, int]
LEFT_CHEEK: Rectangle = (29, 64, 43, 80)
RIGHT_CHEEK: Rectangle = (69, 64, 83, 80)
FOREHEAD: Rectangle = (44, 22, 68, 35)
BRIDGE: Rectangle = (51, 46, 61, 58)
CHIN: Rectangle = (46, 99, 66, 108)
EYES: tuple[Rectangle, Rectangle] = ((27, 46, 49, 58), (63, 46, 85, 58))
"""x1, y1, x2, y2 in a chip of 112 pixels (ArcFace template); drawn by hand on renders."""
_DARKEST, _BRIGHTEST = 20.0, 92.0
_CLIPPED, _CLIPPED_SHARE = 250, 0.25
_MOST_TINT = 12.0
_MOST_UNEVEN_DEG = 35.0


@dataclass(frozen=True)
class SkinColour:
    """Median CIELAB of a region (D65). lightness 0..100; a > 0 red, b > 0 yellow."""

    lightness: float
    a: float
    b: float

    @property
    def ita_deg(self) -> float:
        """Individual typology angle, atan((L* - 50) / b*) in degrees; needs b > 0.

        Source: Chardon, Cretois, Hourseau, Skin colour typology and suntanning pathways, 1991.
        """
        return float(np.degrees(np.arctan2(self.lightness - 50, self.b)))

    @property
    def tint(self) -> float:
        """Distance from the colours that skin has in natural light: a* in 5..25, b* in 5..35.

        Source: ISO/IEC 29794-5:2025, natural colour, as OFIQ computes it; 100 for a or b below 0.
        """
        if self.a < 0 or self.b < 0:
            return 100.0
        red, yellow = max(5 - self.a, self.a - 25, 0.0), max(5 - self.b, self.b - 35, 0.0)
        return math.hypot(red, yellow)


def part(image: NDArray[Any], rectangle: Rectangle) -> NDArray[Any]:
    """A region of a chip, or of anything of its height and width."""
    x1, y1, x2, y2 = rectangle
    return image[y1:y2, x1:x2]


def pixels_of(chip: RgbImage, regions: Sequence[Rectangle]) -> NDArray[np.uint8]:
    """RGB uint8 [N, 3] of all the regions."""
    return np.concatenate([part(chip, region).reshape(-1, 3) for region in regions])


def colour_of(chip: RgbImage, regions: Sequence[Rectangle]) -> SkinColour:
    """Median colour over the regions of a chip."""
    pixels = pixels_of(chip, regions).astype(np.float32)[None] / np.float32(255)
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0]
    lightness, a, b = (float(value) for value in np.median(lab, axis=0))
    return SkinColour(lightness, a, b)


def ita_deg(chip: RgbImage) -> float | None:
    """An estimate of the skin tone from cheeks and forehead: the individual typology angle.

    An estimate, because light and the camera's exposure change it as much as skin does (of 24 renders
    with exposures of their own, its ranks agree only weakly with those of the true angle). It serves to
    see which tones the pictures of a data set show, never to say anything of one person. Above 55°
    very light, below -30° dark (Chardon's groups).

    Args: chip: RGB uint8 [112, 112, 3], aligned.
    Returns: degrees; None where the regions are too dark, too bright, clipped, tinted, or unlike.
    """
    regions = (LEFT_CHEEK, RIGHT_CHEEK, FOREHEAD)
    if float(np.mean((pixels_of(chip, regions) >= _CLIPPED).any(axis=1))) > _CLIPPED_SHARE:
        return None
    skin = colour_of(chip, regions)
    if not _DARKEST <= skin.lightness <= _BRIGHTEST or skin.tint > _MOST_TINT or skin.b <= 0:
        return None
    left, right = (colour_of(chip, [side]) for side in (LEFT_CHEEK, RIGHT_CHEEK))
    if abs(left.ita_deg - right.ita_deg) > _MOST_UNEVEN_DEG:
        return None
    return skin.ita_deg
