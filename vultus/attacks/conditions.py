"""Conditions of a capture, one at a time, at strengths with a unit: what a sweep turns up.

Each change acts on the aligned chip, whose eyes, nose and mouth lie where the template has them, so a
strength means the same on every face. At the first strength of a condition the chip is untouched.
All of them are simulated; the detector, which saw the picture before, is not put to the test.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vultus.attacks.covering import dark_glasses, fringe, hand, surgical_mask
from vultus.attacks.lighting import exposed, lit_from_side, tempered
from vultus.contracts.arrays import RgbImage

Change = Callable[[RgbImage, float, np.random.Generator], RgbImage]
EYES_PX = 35.2
"""Between the eyes of an aligned chip."""


@dataclass(frozen=True)
class Condition:
    """One thing that gets worse.

    family: light, occlusion, sharpness, coding. strengths: from untouched to worst, in `unit`.
    """

    name: str
    family: str
    label: str
    unit: str
    strengths: tuple[float, ...]
    change: Change

    def apply(self, chip: RgbImage, strength: float, seed: int) -> RgbImage:
        """uint8 RGB [112, 112, 3] -> the same, changed; the same seed gives the same pixels."""
        if strength == self.strengths[0]:
            return chip
        return self.change(chip, strength, np.random.default_rng(seed))

    def chosen(self, count: int) -> tuple[float, ...]:
        """`count` strengths or fewer, untouched and worst among them, evenly over the list."""
        last = len(self.strengths) - 1
        places = np.unique(np.rint(np.linspace(0, last, max(2, min(count, last + 1)))).astype(int))
        return tuple(self.strengths[place] for place in places)


def _blurred(chip: RgbImage, sigma_px: float, _: np.random.Generator) -> RgbImage:
    return np.asarray(cv2.GaussianBlur(chip, (0, 0), sigma_px), np.uint8)


def _smeared(chip: RgbImage, length_px: float, rng: np.random.Generator) -> RgbImage:
    """Motion along a straight line of any direction."""
    angle = rng.uniform(0, np.pi)
    side = 2 * int(np.ceil(length_px / 2)) + 3
    steps = np.linspace(-length_px / 2, length_px / 2, 8 * side)
    kernel = np.zeros((side, side), np.float32)
    middle = side // 2
    for step in steps:
        x, y = middle + step * np.cos(angle), middle + step * np.sin(angle)
        left, top = int(np.floor(x)), int(np.floor(y))
        for dy, wy in ((0, 1 - (y - top)), (1, y - top)):
            for dx, wx in ((0, 1 - (x - left)), (1, x - left)):
                kernel[min(top + dy, side - 1), min(left + dx, side - 1)] += wx * wy
    return np.asarray(cv2.filter2D(chip, -1, kernel / kernel.sum()), np.uint8)


def _small(chip: RgbImage, eyes_px: float, _: np.random.Generator) -> RgbImage:
    """Photographed from so far away that so many pixels lie between the eyes."""
    side = max(4, round(len(chip) * eyes_px / EYES_PX))
    small = cv2.resize(chip, (side, side), interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (len(chip), len(chip)), interpolation=cv2.INTER_CUBIC)
    return np.asarray(back, np.uint8)


def _coded(chip: RgbImage, quality: float, _: np.random.Generator) -> RgbImage:
    done, data = cv2.imencode(".jpg", chip[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    assert done, "OpenCV writes any 8-bit picture as JPEG"
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[:, :, ::-1]


def _noisy(chip: RgbImage, sigma: float, rng: np.random.Generator) -> RgbImage:
    """Grain as after a camera's demosaicing: half of it shared by the neighbours and channels."""
    own = rng.normal(0, 1, chip.shape).astype(np.float32)
    shared = cv2.GaussianBlur(rng.normal(0, 1, chip.shape[:2]).astype(np.float32), (0, 0), 0.7)
    shared = np.asarray(shared / np.std(shared), np.float32)
    grain = sigma * np.sqrt(0.5) * (own + shared[..., None])
    return np.asarray(np.clip(chip + grain, 0, 255), np.uint8)


CONDITIONS: tuple[Condition, ...] = (
    Condition("dark", "light", "too little light", "EV", (0, 1, 2, 3, 4, 5),
              lambda chip, ev, rng: exposed(chip, -ev, rng)),
    Condition("bright", "light", "too much light", "EV", (0, 0.5, 1, 1.5, 2, 3),
              lambda chip, ev, rng: exposed(chip, ev, rng)),
    Condition("side_light", "light", "light from one side", "EV across the face", (0, 1, 2, 4, 6, 8),
              lit_from_side),
    Condition("warm", "light", "warm light", "mired", (0, 50, 100, 150, 200, 250),
              tempered),
    Condition("cold", "light", "cold light", "mired", (0, 25, 50, 75, 100, 125),
              lambda chip, mired, rng: tempered(chip, -mired, rng)),
    Condition("mask", "occlusion", "surgical mask", "% of the face", (0, 10, 20, 30, 40, 50),
              surgical_mask),
    Condition("glasses", "occlusion", "dark glasses", "% opaque", (0, 20, 40, 60, 80, 100),
              dark_glasses),
    Condition("hand", "occlusion", "hand from one side", "% of the face", (0, 10, 20, 30, 40, 50),
              hand),
    Condition("hair", "occlusion", "hair from above", "% of the face", (0, 5, 10, 20, 30, 40),
              fringe),
    Condition("blur", "sharpness", "out of focus", "sigma, pixels", (0, 0.5, 1, 1.5, 2, 3), _blurred),
    Condition("motion", "sharpness", "motion", "pixels", (0, 2, 4, 6, 9, 12), _smeared),
    Condition("resolution", "sharpness", "far away", "pixels between the eyes",
              (EYES_PX, 20, 14, 10, 7, 5), _small),
    Condition("jpeg", "coding", "JPEG", "quality", (100, 70, 50, 30, 15, 5), _coded),
    Condition("noise", "coding", "noise", "grey levels", (0, 4, 8, 16, 28, 40), _noisy),
)  # fmt: skip
"""A quality of 100 stands for the chip as it is: it is not coded again."""
