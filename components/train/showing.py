"""What augmentation makes of pictures, for people to look at: each change alone, then all at once."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch

from components.train.augmentation import augmented, relit
from components.train.params import ChipAugment, PadAugment
from vultus.contracts.arrays import RgbImage

Change = tuple[str, list[RgbImage]]
"""What was changed, in a sentence, and what became of each picture."""

_CHIP = {
    "flip": ("Mirrored: {:g} % of the views.", 0.5, 100),
    "rotation_deg": ("Rotated by up to {:g}° either way.", 15.0, 1),
    "occlusion": ("A block in the way: {:g} % of the views.", 0.3, 100),
    "gamma": ("Illumination, gamma: exponent 1 ± {:g}.", 0.35, 1),
    "gain": ("Illumination, brightness: times 1 ± {:g}.", 0.25, 1),
    "shade": ("Illumination, light from one side: the dark side loses up to {:g} %.", 0.5, 100),
    "temperature": ("Illumination, colour temperature: red against blue by ± {:g}.", 0.15, 1),
    "tint": ("Tint: each channel times 1 ± {:g}.", 0.07, 1),
    "blur": ("Blurred, sigma 0.4 to 1.6 pixels: {:g} % of the views.", 0.3, 100),
    "noise": ("Sensor noise of up to {:g} grey levels.", 5.0, 1),
    "jpeg": ("JPEG of quality 30 to 90: {:g} % of the views.", 0.5, 100),
}
"""Field of ChipAugment -> what it does, the strength shown where it is off, and the factor from the
strength to the number that is said."""
_PAD = {
    "flip": ("Mirrored: {:g} % of the crops.", 0.5, 100),
    "gain": ("Exposure: times 1 ± {:g}.", 0.12, 1),
    "offset": ("Black level: up to {:g} % of the range, either way.", 0.06, 50),
    "tint": ("A trace of tint: each channel times 1 ± {:g}.", 0.03, 1),
    "noise": ("A trace of sensor noise: up to {:g} % of the range.", 0.012, 50),
}
"""The same for PadAugment."""
_CERTAIN = {"flip", "occlusion", "blur", "jpeg"}
"""Fields that are probabilities: shown in every picture."""
_OFF = " Off unless asked for; shown at this strength."


def shown_chips(chips: Sequence[RgbImage], strength: ChipAugment | None = None) -> Iterator[Change]:
    """The recognition recipe, change by change.

    Args: chips: RGB uint8 [H, W, 3], aligned; strength: default: what training does unless told.
    """
    strength = strength or ChipAugment()
    nothing = dict.fromkeys(ChipAugment.model_fields, 0.0)
    yield "As they are.", list(chips)
    for name, how in _CHIP.items():
        value, caption = _value(getattr(strength, name), *how)
        alone = ChipAugment(**nothing | {name: 1.0 if name in _CERTAIN else value})
        yield caption, _chips(chips, alone)
    yield "All at once, as a view is trained on.", _chips(chips, strength)


def shown_crops(
    contexts: Sequence[RgbImage], strength: PadAugment | None = None, side: int = 224
) -> Iterator[Change]:
    """The liveness recipe, change by change.

    Args: contexts: RGB uint8, square pictures of face and surroundings; they are shown at `side`.
    """
    strength = strength or PadAugment()
    nothing = dict.fromkeys(PadAugment.model_fields, 0.0)
    small = [cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA) for one in contexts]
    yield "As they are.", [np.asarray(one, np.uint8) for one in small]
    crops = torch.from_numpy(np.stack(small).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)
    for name, how in _PAD.items():
        value, caption = _value(getattr(strength, name), *how)
        yield (
            caption,
            _crops(crops, PadAugment(**nothing | {name: 1.0 if name == "flip" else value})),
        )
    yield "All at once, as a batch is trained on.", _crops(crops, strength)


def _value(given: float, said: str, example: float, factor: float) -> tuple[float, str]:
    value = given or example
    caption = said.format(round(factor * value, 3))
    return value, caption if given else caption + _OFF


def _chips(chips: Sequence[RgbImage], strength: ChipAugment) -> list[RgbImage]:
    return [
        augmented(chip, strength, np.random.default_rng(number))
        for number, chip in enumerate(chips)
    ]


def _crops(crops: torch.Tensor, strength: PadAugment) -> list[RgbImage]:
    made = relit(crops, strength, np.random.default_rng(0))
    levels = ((made + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return list(levels.numpy().transpose(0, 2, 3, 1))
