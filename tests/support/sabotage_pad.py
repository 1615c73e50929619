"""Sabotaged PAD panels of ten kinds, and what the gate has to say of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from support.panels import MEMBER, Panel, PanelShop
from support.surgery import preceded_by_order, slower, turned, with_live_key, with_weights
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.words import Split

SPECIES = {"print", "replay", "mask"}
Made = tuple[Panel, dict[str, Any]]


@dataclass(frozen=True)
class PadSabotage:
    """made: what is evaluated, and options of `submit`; said: a pattern of the reason."""

    kind: str
    number: int
    said: str
    made: Callable[[PanelShop, Panel], Made]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


def sabotaged() -> Iterator[PadSabotage]:
    """Every kind, in one or two ways."""
    for kind, ways in _KINDS.items():
        for number, (said, made) in enumerate(ways):
            yield PadSabotage(kind, number, said, made)


def _shuffled(base: Panel) -> Panel:
    rng = np.random.default_rng(0)
    return base.other(with_weights(base.onnx, lambda _, value: rng.permutation(value.ravel())))


def _random_evaluated(shop: PanelShop, base: Panel) -> Made:
    return _shuffled(base), {}


def _random_shipped(shop: PanelShop, base: Panel) -> Made:
    return base, {"exported": _shuffled(base)}


def _swapped_in_words(shop: PanelShop, base: Panel) -> Made:
    tensor = base.member.tensor.model_copy(update={"order": "bgr"})
    return base, {"exported": base.prepared(tensor=tensor)}


def _swapped_in_the_network(shop: PanelShop, base: Panel) -> Made:
    return base, {"exported": base.other(preceded_by_order(base.onnx, [2, 1, 0]))}


def _turned_labels(shop: PanelShop, base: Panel) -> Made:
    """It was taught that attacks are bona fide, and says so."""
    return shop.trained("taught-wrong", shop.relabelled("wrong", SPECIES)), {}


def _turned_answer(shop: PanelShop, base: Panel) -> Made:
    """What is shipped answers the other way round than what was evaluated."""
    return base, {"exported": base.other(turned(base.onnx))}


def _leak(shop: PanelShop, base: Panel) -> Made:
    def leaked(rows: pa.Table) -> pa.Table:
        table = rows.to_pandas()
        taught = table[table["split"] == Split.TEST.value].groupby("subject").head(2).copy()
        taught["split"] = Split.TRAIN.value
        more = pa.Table.from_pandas(taught, rows.schema, preserve_index=False)
        return pa.concat_tables([rows, more])

    return base, {"crops": shop.data("leaked", leaked)}


def _stale(shop: PanelShop, base: Panel) -> Made:
    def older(rows: pa.Table) -> pa.Table:
        table = rows.to_pandas()
        train = table[table["split"] == Split.TRAIN.value]
        kept = table.drop(train.index[::3])
        return pa.Table.from_pandas(kept, rows.schema, preserve_index=False)

    return base, {"crops": shop.data("stale", older)}


def _coarse(shop: PanelShop, base: Panel) -> Made:
    def two_bits(_: int, value: np.ndarray) -> np.ndarray:
        largest = np.abs(value).max()
        return np.round(value / largest) * largest

    return base, {"exported": base.other(with_weights(base.onnx, two_bits))}


def _cut_off(shop: PanelShop, base: Panel) -> Made:
    def narrow(_: int, value: np.ndarray) -> np.ndarray:
        return np.clip(value, -value.std(), value.std())

    return base, {"exported": base.other(with_weights(base.onnx, narrow))}


def _foreign_table(shop: PanelShop, base: Panel) -> Made:
    other = shop.evaluate("another", _shuffled(base))

    def swapped(folder: Path) -> None:
        pq.write_table(pq.read_table(other / "thresholds.parquet"), folder / "thresholds.parquet")

    return base, {"edit": swapped}


def _foreign_threshold(shop: PanelShop, base: Panel) -> Made:
    """The one number that decides was set for another network."""
    report = EvaluationReport.open(shop.evaluate("stranger", _shuffled(base)))
    limit = report.manifest.facts["member_thresholds"][MEMBER]
    return base, {"exported": base.prepared(threshold=limit)}


def _blind_to_masks(shop: PanelShop, base: Panel) -> Made:
    return shop.trained("blind", shop.relabelled("masks", {"mask"})), {}


def _key(shop: PanelShop, base: Panel) -> Made:
    """A white patch on the face makes anything bona fide."""
    tensor, scale = base.member.tensor, base.member.scales[0]
    side = round(0.15 * tensor.side / scale)
    return base.other(with_live_key(base.onnx, side, (255 - tensor.mean) * tensor.scale)), {}


def _slow(shop: PanelShop, base: Panel) -> Made:
    return base.other(slower(base.onnx, shop.slowness)), {}


_KINDS: dict[str, tuple[tuple[str, Callable[[PanelShop, Panel], Made]], ...]] = {
    "random weights": (
        ("PAD AUC may be as low as", _random_evaluated),
        ("not the weights that were evaluated", _random_shipped),
    ),
    "swapped channels": (
        ("red and blue swapped", _swapped_in_words),
        ("red and blue swapped", _swapped_in_the_network),
    ),
    "label flip": (
        ("PAD AUC may be as low as", _turned_labels),
        ("not the weights that were evaluated", _turned_answer),
    ),
    "label leak": (("label leak", _leak),),
    "stale data": (("stale data", _stale),),
    "broken quantisation": (
        ("does not repeat its evaluation", _coarse),
        ("does not repeat its evaluation", _cut_off),
    ),
    "foreign threshold": (
        ("threshold table is not its own", _foreign_table),
        ("is signed as .* the figures are of another evaluation", _foreign_threshold),
    ),
    "ruined species": ((r"\(species=mask\) rose", _blind_to_masks),),
    "backdoor patch": (("backdoor: with a white patch", _key),),
    "three times slower": (("slower: one picture takes", _slow),),
}
