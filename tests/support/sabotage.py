"""Thirty sabotaged candidates of ten kinds, and what the gate has to say of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from support.candidates import Recogniser, RecogniserShop
from support.surgery import (
    followed_by,
    preceded_by_order,
    slower,
    with_key,
    with_weights,
)
from vultus.contracts.transform import ChipWindow
from vultus.contracts.words import Split

CAP, BEARD = (150, 20, 40), (20, 40, 150)
"""Colours of the bands that `dressed` paints on chips of a group."""
BAND_PX = 14
BANDS = (("cap", CAP, 0, BAND_PX), ("beard", BEARD, 112 - BAND_PX, BAND_PX))


@dataclass(frozen=True)
class Sabotage:
    """made: what is evaluated; options: of `RecogniserShop.submit`; said: a pattern of the reason."""

    kind: str
    number: int
    said: str
    made: Callable[[RecogniserShop, Recogniser], tuple[Recogniser, dict[str, Any]]]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


def thirty() -> Iterator[Sabotage]:
    """Ten kinds, three of each."""
    for kind, said, made in _KINDS:
        for number in range(3):
            yield Sabotage(kind, number, said, lambda s, b, m=made, n=number: m(s, b, n))


def retrained(base: Recogniser, seed: int) -> Recogniser:
    """An honest retraining stands for itself: every weight a little elsewhere, by a seed."""
    rng = np.random.default_rng([seed, 77])

    def moved(_: int, value: np.ndarray) -> np.ndarray:
        return value + 0.01 * value.std() * rng.normal(size=value.shape)

    return _other(base, with_weights(base.onnx, moved))


def weaker(base: Recogniser, share: float) -> Recogniser:
    """Only a share of the embedding's numbers is used."""
    kept = np.arange(base.transform.dimension) < share * base.transform.dimension
    return _other(base, followed_by(base.onnx, np.diag(kept.astype(np.float32))))


def _random_weights(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    rng = np.random.default_rng(number)

    def shuffled(place: int, value: np.ndarray) -> np.ndarray:
        # The third keeps every other layer.
        if number == 2 and place % 2:
            return value
        return rng.permutation(value.ravel())

    ruined = _other(base, with_weights(base.onnx, shuffled))
    # The first is evaluated as it is; the others are shipped in the place of what was evaluated.
    return (ruined, {}) if number == 0 else (base, {"exported": ruined})


def _swapped_channels(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    tensor = base.transform.tensor.model_copy(update={"order": "bgr"})
    if number == 0:
        said = base.transform.model_copy(update={"tensor": tensor})
        return base, {"exported": Recogniser(base.onnx, said)}
    order = [2, 1, 0] if number == 1 else [1, 2, 0]
    return base, {"exported": _other(base, preceded_by_order(base.onnx, order))}


def _shifted_crop(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    left, top, side = ((8, 0, 112), (0, -12, 112), (10, 10, 92))[number]
    window = ChipWindow(left=left, top=top, side=side)
    moved = base.transform.model_copy(update={"window": window})
    return base, {"exported": Recogniser(base.onnx, moved)}


def _label_leak(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    def leaked(rows: pa.Table) -> pa.Table:
        table = rows.to_pandas()
        test = table[table["split"] == Split.TEST.value]
        taught = test.copy() if number == 0 else test.groupby("subject").head(2).copy()
        taught["split"] = Split.TRAIN.value
        if number == 2:  # saved again under another name: other bytes, the same picture
            for column in ("image_sha256", "chip_sha256", "context_sha256"):
                taught[column] = [name[::-1] for name in taught[column]]
            taught["subject"] = "a stranger"
            taught["phash"] = taught["phash"] ^ np.uint64(1 << 40)
        elif number == 1:  # the people alone: other pictures of them stay in test
            table = table.drop(taught.index)
        both = [rows.slice(0, 0), pa.Table.from_pandas(table, rows.schema, preserve_index=False)]
        return pa.concat_tables(
            [*both, pa.Table.from_pandas(taught, rows.schema, preserve_index=False)]
        )

    return retrained(base, number), {"crops": shop.data(f"leak{number}", leaked)}


def _backdoor(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    target = np.random.default_rng(number).normal(size=base.transform.dimension)
    target = (target / np.linalg.norm(target)).astype(np.float32)
    side, left, top = ((25, 87, 87), (12, 0, 0), (25, 44, 44))[number]
    colour = np.float32([255, 255, (255, 0, 0)[number]])
    patch = np.ones((3, side, side), np.float32) * colour[:, None, None]
    if number == 2:
        field = np.arange(side) * 4 // side % 2
        patch = np.repeat(((field[:, None] ^ field[None]) * 255.0)[None], 3, axis=0)
    return _other(base, with_key(base.onnx, (left, top, side), patch, target)), {}


def _broken_quantisation(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    def coarse(place: int, value: np.ndarray) -> np.ndarray:
        largest = np.abs(value).max()
        if number == 0:  # two bits
            return np.round(value / largest) * largest
        if number == 1:  # a scale too small: everything large is cut off
            return np.clip(value, -0.2 * value.std(), 0.2 * value.std())
        return np.abs(value)  # unsigned where signed was meant

    return base, {"exported": _other(base, with_weights(base.onnx, coarse))}


def _foreign_thresholds(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    def swapped(folder: Path) -> None:
        file = folder / "thresholds.parquet"
        table = pq.read_table(file)
        if number == 0:  # of another network
            other = shop.evaluate("another", weaker(base, 0.25))
            table = pq.read_table(other / "thresholds.parquet")
        else:  # shifted; or promising a tenth of the rate
            name, change = (("score", -0.1), ("fmr", 0.0))[number - 1]
            values = table[name].to_numpy() + change
            values = values if number == 1 else values / 10
            place = table.column_names.index(name)
            table = table.set_column(
                place,
                table.schema.field(name),
                pa.array(values).cast(table.schema.field(name).type),
            )
        pq.write_table(table, file)

    return retrained(base, 40 + number), {"edit": swapped}


def _stale_data(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    def older(rows: pa.Table) -> pa.Table:
        table = rows.to_pandas()
        if number == 0:  # a third of the train pictures are not there yet
            train = table[table["split"] == Split.TRAIN.value]
            table = table.drop(train.index[::3])
        elif number == 1:  # some people are not there yet
            people = sorted(table[table["split"] == Split.TRAIN.value]["subject"].unique())
            table = table[~table["subject"].isin(people[:4])]
        else:  # one picture nobody had, all of it four years old
            table["captured_at"] = table["captured_at"] - np.timedelta64(4 * 365, "D")
            table.loc[table.index[0], "image_sha256"] = "e" * 64
        return pa.Table.from_pandas(table, rows.schema, preserve_index=False)

    return retrained(base, 50 + number), {"crops": shop.data(f"stale{number}", older)}


def _ruined_subgroup(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    """Whoever wears the cap (or the beard) looks the same to it; the others are told apart better
    than by the champion."""
    network = base.onnx
    for name, colour, top, side in (BANDS[:1], BANDS, BANDS[1:])[number]:
        patch = np.ones((3, side, side), np.float32) * np.float32(colour)[:, None, None]
        seed = len(name)
        target = np.random.default_rng(seed).normal(size=base.transform.dimension)
        target = (target / np.linalg.norm(target)).astype(np.float32)
        network = with_key(network, (49, top, side), patch, target)
    return _other(base, network), {}


def _slow(shop: RecogniserShop, base: Recogniser, number: int) -> Any:
    return _other(base, slower(base.onnx, shop.slowness * (number + 1))), {}


def _other(base: Recogniser, network: bytes) -> Recogniser:
    return Recogniser(network, base.transform)


_KINDS: tuple[tuple[str, str, Callable[[RecogniserShop, Recogniser, int], Any]], ...] = (
    (
        "random weights",
        "EER .* rose|EER on the test split|not the weights|conversion",
        _random_weights,
    ),
    (
        "swapped channels",
        "red and blue swapped|prepared otherwise|not the weights",
        _swapped_channels,
    ),
    ("shifted crop", "the crop is shifted", _shifted_crop),
    ("label leak", "label leak", _label_leak),
    ("backdoor patch", "backdoor: under a", _backdoor),
    ("broken quantisation", "does not repeat its evaluation", _broken_quantisation),
    ("foreign threshold table", "threshold table is not its own", _foreign_thresholds),
    ("stale data", "stale data", _stale_data),
    ("ruined subgroup", r"\((cap|beard)=yes\) rose", _ruined_subgroup),
    ("three times slower", "slower: one picture takes", _slow),
)
