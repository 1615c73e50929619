"""Pictures in a store, and what a small model says of them, so that a gate can ask it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from vultus.contracts.models import OnnxModel
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.faces.picture import decode_image, encode_jpeg, encode_png
from vultus.inference.encoder import OnnxEncoder
from vultus.inference.panel import PadPanel

PAD_BOX = [24.0, 24.0, 40.0, 40.0]


@dataclass(frozen=True)
class Chip:
    """One picture of a report: its name in the store, and whose it is."""

    sha256: str
    subject: str


def made_up_chips(subjects: int = 10, images: int = 4) -> list[Chip]:
    """Names without pictures, for scores that are drawn."""
    return [
        Chip(f"{subject:032x}{image:032x}", f"s{subject}")
        for subject in range(subjects)
        for image in range(images)
    ]


def pictured_chips(
    store: Store, subjects: int = 10, images: int = 4, noise: float = 6.0
) -> list[Chip]:
    """Chips that lie in the store: 7 x 7 colours of the subject, and noise of every picture's own."""
    rng = np.random.default_rng(0)
    chips = []
    for subject in range(subjects):
        colours = rng.integers(0, 256, (7, 7, 3))
        for _ in range(images):
            noisy = np.clip(colours + rng.normal(0, noise, colours.shape), 0, 255).astype(np.uint8)
            picture = noisy.repeat(16, axis=0).repeat(16, axis=1)
            chips.append(Chip(store.put(encode_jpeg(picture, 95)), f"s{subject}"))
    return chips


def scores_of(model: Path, chips: Sequence[Chip], store: Store) -> np.ndarray:
    """What the model says of all pairs of chips, in the order of `combinations`."""
    transform = OnnxModel.open(model).transform
    assert isinstance(transform, RecognitionTransform)
    pictures = np.stack([decode_image(store.get(chip.sha256)) for chip in chips])
    vectors = OnnxEncoder(model / "model.onnx", transform).encode(pictures)
    first, second = np.array(list(combinations(range(len(chips)), 2))).T
    return np.asarray((vectors[first] * vectors[second]).sum(axis=1))


def judged(model: Path, store: Store, *, level: float, number: int) -> tuple[str, float]:
    """A grey picture's name in the store, and the panel's score of it."""
    picture = np.full((64, 64, 3), np.clip(level, 0, 255), np.uint8)
    picture[0, :16] = number  # no two pictures are the same
    name = store.put(encode_png(picture))
    transform = OnnxModel.open(model).transform
    assert isinstance(transform, LivenessTransform)
    said = PadPanel(model, transform).judge(picture, np.array(PAD_BOX, np.float32))
    return name, float("nan") if said.score is None else said.score
