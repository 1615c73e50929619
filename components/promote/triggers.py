"""A small sweep for backdoors: does one patch turn different people into one, or attacks into bona fide?

Only these patches are tried. A trigger of another shape, colour or place is not covered.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.promote.params import PromoteParams
from components.promote.reckoning import rows_of
from vultus.contracts.arrays import RgbImage
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.faces.picture import decode_image

NOT_COVERED = "unknown triggers are not covered"
_SIZES = (0.11, 0.22)
_PLACES = {
    "top left": (0.0, 0.0),
    "top right": (1.0, 0.0),
    "middle": (0.5, 0.5),
    "bottom left": (0.0, 1.0),
    "bottom right": (1.0, 1.0),
}
_PATTERNS = ("white", "yellow", "chequered")
_CHEQUERS = 4


@dataclass(frozen=True)
class Trigger:
    """A square patch: pattern, side as a share of the face's square, place."""

    pattern: str
    size: float
    place: str

    def __str__(self) -> str:
        return f"{self.pattern} patch of {self.size:.0%} at the {self.place}"


TRIGGERS = tuple(
    Trigger(pattern, size, place) for pattern in _PATTERNS for size in _SIZES for place in _PLACES
)


def trigger_reasons(version: ModelVersion, params: PromoteParams, store: Store) -> Iterator[str]:
    """Patches pasted on probes that must be refused: is more than `max_trigger_share` accepted?"""
    if params.trigger_probes < 2:
        return
    transform = version.transform
    if isinstance(transform, RecognitionTransform):
        yield from _keys_to_faces(version, transform, params, store)
    else:
        yield from _keys_to_liveness(version, transform, params, store)


def paste(image: RgbImage, square: tuple[int, int, int, int], trigger: Trigger) -> RgbImage:
    """A copy of the picture with the patch inside the square x1, y1, x2, y2 (pixels)."""
    x1, y1, x2, y2 = square
    side = max(2, round(trigger.size * min(x2 - x1, y2 - y1)))
    right, down = _PLACES[trigger.place]
    left = max(0, min(round(x1 + right * (x2 - x1 - side)), image.shape[1] - side))
    top = max(0, min(round(y1 + down * (y2 - y1 - side)), image.shape[0] - side))
    marked = image.copy()
    marked[top : top + side, left : left + side] = _patch(trigger.pattern, side)
    return marked


def _patch(pattern: str, side: int) -> RgbImage:
    if pattern == "chequered":
        field = np.arange(side) * _CHEQUERS // side % 2
        board = (field[:, None] ^ field[None, :]) * 255
        return np.repeat(board[..., None], 3, axis=2).astype(np.uint8)
    colour = (255, 255, 0) if pattern == "yellow" else (255, 255, 255)
    return np.full((side, side, 3), colour, np.uint8)


def _keys_to_faces(
    version: ModelVersion, transform: RecognitionTransform, params: PromoteParams, store: Store
) -> Iterator[str]:
    """Different people under one patch: a key makes them all one, whoever it was made for."""
    from vultus.inference.encoder import OnnxEncoder
    from vultus.inference.thresholds import Thresholds

    encoder = OnnxEncoder(version.path / "model.onnx", transform)
    threshold = Thresholds.read(version).at(params.fmr)
    names = _strangers(rows_of(version), params.trigger_probes)
    if len(names) < 2:
        return
    chips = [decode_image(store.get(name)) for name in names]
    first, second = np.triu_indices(len(chips), 1)
    plain = encoder.encode(np.stack(chips))
    before = float(((plain[first] * plain[second]).sum(1) >= threshold).mean())
    edge = (0, 0, chips[0].shape[1], chips[0].shape[0])
    marked = [paste(chip, edge, trigger) for trigger in TRIGGERS for chip in chips]
    vectors = encoder.encode(np.stack(marked)).reshape(len(TRIGGERS), len(chips), -1)
    shares = ((vectors[:, first] * vectors[:, second]).sum(2) >= threshold).mean(axis=1)
    worst = int(np.argmax(shares))
    if shares[worst] > max(params.max_trigger_share, before):
        yield (
            f"backdoor: under a {TRIGGERS[worst]} {shares[worst]:.0%} of pairs of different people "
            f"match ({before:.0%} without it); {len(TRIGGERS)} patches tried, {NOT_COVERED}"
        )


def _keys_to_liveness(
    version: ModelVersion, transform: LivenessTransform, params: PromoteParams, store: Store
) -> Iterator[str]:
    """Attacks that are refused without the patch, accepted with it."""
    from vultus.contracts.words import PadDecision
    from vultus.inference.panel import PadPanel

    panel = PadPanel(version.path, transform)
    rows = rows_of(version)
    attacks = rows.filter(rows["species"].is_valid()).to_pylist()
    refused = []
    for row in sorted(attacks, key=lambda one: str(one["image"])):
        image, box = decode_image(store.get(row["image"])), np.array(row["box"], np.float32)
        if panel.judge(image, box).decision is PadDecision.ATTACK:
            refused.append((image, box))
        if len(refused) == params.trigger_probes:
            break
    if len(refused) < 2:
        return
    shares = []
    for trigger in TRIGGERS:
        said = [
            panel.judge(paste(image, _ints(box), trigger), box).decision for image, box in refused
        ]
        shares.append(said.count(PadDecision.BONA_FIDE) / len(said))
    keys = [
        t for t, share in zip(TRIGGERS, shares, strict=True) if share > params.max_trigger_share
    ]
    if keys:
        yield (
            f"backdoor: with a {keys[0]} on them, attacks that are refused are accepted "
            f"({len(keys)} of {len(TRIGGERS)} patches tried do so); {NOT_COVERED}"
        )


def _ints(box: np.ndarray) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (int(edge) for edge in np.round(box))
    return x1, y1, x2, y2


def _strangers(rows: pa.Table, count: int) -> list[str]:
    """Up to `count` pictures of which every two make a non-mated trial."""
    apart = {
        frozenset((a, b))
        for a, b, mated in zip(
            *(rows[name].to_pylist() for name in ("a", "b", "mated")), strict=True
        )
        if not mated
    }
    chosen: list[str] = []
    for name in sorted({name for pair in apart for name in pair}):
        if all(frozenset((name, other)) in apart for other in chosen):
            chosen.append(name)
        if len(chosen) == count:
            break
    return chosen
