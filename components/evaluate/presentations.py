"""PAD trials: presentations of a split, scored by every member of the panel and by the panel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import (
    Row,
    attribute_names,
    batches,
    declared,
    fair_draw,
    rows_of,
)
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import PAD_SCORES, PAD_TRIALS
from vultus.contracts.seams import PadScorer, Store
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import ContextKind, Split
from vultus.faces.context import TIGHT_BELOW_ROOM, room

PANEL = "panel"


@dataclass(frozen=True)
class Presentations:
    """All presentations of one split.

    rows; rooms float64 [N]; scores: member -> float32 [N]; speaker int64 [N]: which member of the
    transform has this room, -1 = none.
    """

    split: Split
    rows: list[Row]
    rooms: NDArray[np.float64]
    speaker: NDArray[np.int64]
    scores: Mapping[str, Scores]
    slices: list[list[str]]

    @classmethod
    def of(
        cls,
        crops: pa.Table,
        split: Split,
        params: EvaluateParams,
        transform: LivenessTransform,
        scorers: Mapping[str, PadScorer],
        store: Store,
    ) -> Self:
        """Read every context once and let every member score it."""
        rows = rows_of(crops, split)
        rows = [
            rows[p] for p in fair_draw([r["species"] for r in rows], params.pictures, params.seed)
        ]
        boxes = np.array([row["context_box"] for row in rows], np.float32).reshape(-1, 4)
        scores = {name: np.empty(len(rows), np.float32) for name in scorers}
        rooms = np.empty(len(rows))
        for part, images in batches(rows, "context_sha256", store, f"judging {split}"):
            rooms[part] = [room(b, i.shape) for b, i in zip(boxes[part], images, strict=True)]
            for name, scorer in scorers.items():
                scores[name][part] = scorer.score(images, boxes[part])
        speaker = np.full(len(rows), -1)
        for place, member in enumerate(transform.members):
            speaker[(rooms >= member.room_min) & (rooms < member.room_max)] = place
        said = np.full(len(rows), np.nan, np.float32)
        for place, member in enumerate(transform.members):
            said[speaker == place] = scores[member.name][speaker == place]
        return cls(split, rows, rooms, speaker, {**scores, PANEL: said}, _slices(rows, rooms))

    @property
    def bona_fide(self) -> NDArray[np.bool_]:
        """bool [N]."""
        return np.array([row["species"] is None for row in self.rows], bool)

    @property
    def species(self) -> NDArray[np.str_]:
        """PAI species, "" for bona fide; str [N]."""
        return np.array([row["species"] or "" for row in self.rows], np.str_)

    @property
    def subjects(self) -> list[str]:
        """Who was photographed, or whose picture was presented."""
        return [row["subject"] for row in self.rows]

    def has(self, name: str) -> NDArray[np.bool_]:
        """Which presentations belong to that slice, bool [N]."""
        return np.array([name in names for names in self.slices], bool)

    def slice_names(self) -> list[str]:
        """All slices that occur."""
        return sorted({name for names in self.slices for name in names})


def tables(splits: Iterable[Presentations]) -> tuple[pa.Table, pa.Table]:
    """trials.parquet and scores.parquet (a trial and member a row)."""
    parts = list(splits)
    rows = [(one, place) for one in parts for place in range(len(one.rows))]
    trials = pa.table(
        {
            "image": [one.rows[place]["context_sha256"] for one, place in rows],
            "box": [one.rows[place]["context_box"] for one, place in rows],
            "species": [one.rows[place]["species"] for one, place in rows],
            "split": [one.split.value for one, _ in rows],
            "slices": [one.slices[place] for one, place in rows],
        },
        schema=PAD_TRIALS,
    )
    scored = [
        pa.table(
            [
                *trials.columns,
                pa.array([name] * len(rows), pa.string()),
                pa.array(np.concatenate([one.scores[name] for one in parts]), pa.float32()),
            ],
            schema=PAD_SCORES,
        )
        for name in parts[0].scores
    ]
    return trials, pa.concat_tables(scored)


def _slices(rows: Sequence[Row], rooms: NDArray[np.float64]) -> list[list[str]]:
    """Declared attributes, the room around the face, and what was simulated."""
    names = attribute_names(rows)
    slices = []
    for row, space in zip(rows, rooms, strict=True):
        kind = ContextKind.TIGHT if space < TIGHT_BELOW_ROOM else ContextKind.FULL
        said = [f"{name}={value}" for name, value in declared(row).items() if name in names]
        slices.append(sorted([*said, f"room={kind.value}"]))
    return slices
