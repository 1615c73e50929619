"""Recognition trials: which pictures of a split are compared, and what the model says of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
from vultus.contracts.arrays import Embeddings, Scores
from vultus.contracts.evaluation import RECOGNITION_SCORES, RECOGNITION_TRIALS
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.words import Presentation, Split
from vultus.dataset.bands import ITA_EDGES, ITA_NAMES
from vultus.metrics import ComparisonCounts, Everybody

Codes = NDArray[np.int64]
MOST = 4_000_000
"""Non-mated comparisons that figures over all thresholds hold in memory; of more, as many are drawn."""
SKIN = "skin_estimate"
"""Attribute of the skin-tone band, from the median ITA of a subject's pictures; nobody declared it."""


@dataclass(frozen=True)
class Comparisons:
    """All trials of one split.

    rows: the faces; embeddings float32 [N, D]; subjects int64 [N], codes; first, second int64 [M]:
    places in rows; scores float32 [M], cosine similarity; groups: slices of each row, `name=value`;
    every: all comparisons, where the non-mated ones among these are a draw.
    """

    split: Split
    rows: list[Row]
    embeddings: Embeddings
    subjects: Codes
    first: Codes
    second: Codes
    scores: Scores
    groups: list[frozenset[str]]
    every: Everybody | None = None

    @classmethod
    def of(
        cls, crops: pa.Table, split: Split, params: EvaluateParams, encoder: Encoder, store: Store
    ) -> Self:
        """Embed every face of the split once, then compare."""
        rows = _faces(rows_of(crops, split), params)
        _, subjects = np.unique([row["subject"] for row in rows], return_inverse=True)
        subjects = subjects.reshape(-1).astype(np.int64)
        first, second = _pairs(subjects, params)
        embeddings = np.empty((len(rows), encoder.dimension), np.float32)
        for part, chips in batches(rows, "chip_sha256", store, f"embedding {split}"):
            embeddings[part] = encoder.encode(np.stack(chips))
        scores = np.einsum("nd,nd->n", embeddings[first], embeddings[second]).astype(np.float32)
        listed = int((subjects[first] != subjects[second]).sum())
        drawn = listed < _others(subjects)
        every = Everybody(embeddings, subjects) if drawn else None
        groups = _groups(rows)
        return cls(split, rows, embeddings, subjects, first, second, scores, groups, every)

    @property
    def mated(self) -> NDArray[np.bool_]:
        """Same subject on both sides, bool [M]."""
        return np.asarray(self.subjects[self.first] == self.subjects[self.second], bool)

    @property
    def others(self) -> int:
        """Non-mated comparisons behind thresholds and FMR, listed or not."""
        return int((~self.mated).sum()) if self.every is None else self.every.non_mated

    def part(self, keep: NDArray[np.bool_]) -> "Comparisons":
        """Only these trials."""
        return replace(
            self,
            first=self.first[keep],
            second=self.second[keep],
            scores=self.scores[keep],
            every=None,
        )

    def whole(self, seed: int) -> "Comparisons":
        """All comparisons instead of those that are listed; of more than MOST a draw.

        Mated ones are all listed anyway, and keep the scores that they have in the file.
        """
        if self.every is None:
            return self
        mated = self.mated
        first, second, scores = self.every.listed(MOST, seed)
        return replace(
            self,
            first=np.concatenate([self.first[mated], first]),
            second=np.concatenate([self.second[mated], second]),
            scores=np.concatenate([self.scores[mated], scores]),
        )

    def counts(self) -> ComparisonCounts:
        """Scores of all comparisons, whatever is listed."""
        found, mated = ComparisonCounts(), self.mated
        found.mated.add(self.scores[mated])
        if self.every is None:
            found.non_mated.add(self.scores[~mated])
        else:
            found.non_mated.merge(self.every.counts.non_mated)
        return found

    def in_slice(self, name: str) -> "Comparisons":
        """Only the trials of that slice: those whose two faces are in it."""
        inside = np.array([name in names for names in self.groups], bool)
        part = self.part(inside[self.first] & inside[self.second])
        if self.every is None:
            return part
        people = int(self.subjects.max()) + 1
        every = Everybody(self.embeddings[inside], self.subjects[inside], people=people)
        return replace(part, every=every)

    def slice_names(self) -> list[str]:
        """All slices of which two faces are."""
        seen = Counter(name for names in self.groups for name in names)
        return sorted(name for name, faces in seen.items() if faces > 1)


def tables(splits: Iterable[Comparisons]) -> tuple[pa.Table, pa.Table]:
    """trials.parquet and scores.parquet."""
    parts = list(splits)
    columns: dict[str, list[object]] = {
        "a": [one.rows[place]["chip_sha256"] for one in parts for place in one.first],
        "b": [one.rows[place]["chip_sha256"] for one in parts for place in one.second],
        "mated": [bool(mated) for one in parts for mated in one.mated],
        "split": [one.split.value for one in parts for _ in one.first],
        "slices": [
            sorted(one.groups[a] & one.groups[b])
            for one in parts
            for a, b in zip(one.first, one.second, strict=True)
        ],
    }
    trials = pa.table(columns, schema=RECOGNITION_TRIALS)
    scores = pa.array(np.concatenate([one.scores for one in parts]), pa.float32())
    return trials, pa.table([*trials.columns, scores], schema=RECOGNITION_SCORES)


def _faces(rows: Sequence[Row], params: EvaluateParams) -> list[Row]:
    """Bona fide faces that no simulation touched, each chip once, drawn fairly by subject."""
    chips: dict[str, Row] = {}
    for row in rows:
        if row["presentation"] == Presentation.BONA_FIDE.value and not row["simulated"]:
            chips.setdefault(row["chip_sha256"], row)
    kept = list(chips.values())
    drawn = fair_draw([row["subject"] for row in kept], params.pictures, params.seed)
    return [kept[place] for place in drawn]


def _pairs(subjects: Codes, params: EvaluateParams) -> tuple[Codes, Codes]:
    """All mated pairs, and all or a fair draw of the non-mated ones; int64 [M] each."""
    first, second = np.triu_indices(len(subjects), 1)
    mated = subjects[first] == subjects[second]
    others = np.flatnonzero(~mated)
    if len(others) > params.non_mated:
        low = np.minimum(subjects[first[others]], subjects[second[others]])
        high = np.maximum(subjects[first[others]], subjects[second[others]])
        pair = low * (int(subjects.max()) + 1) + high
        others = others[_in_turn(pair, params.non_mated, params.seed)]
    kept = np.sort(np.concatenate([np.flatnonzero(mated), others]))
    return first[kept].astype(np.int64), second[kept].astype(np.int64)


def _others(subjects: Codes) -> int:
    """All comparisons of two people."""
    pictures = np.bincount(subjects)
    return int((pictures.sum() ** 2 - (pictures**2).sum()) // 2)


def _in_turn(groups: Codes, limit: int, seed: int) -> Codes:
    """`fair_draw` for millions: at most `limit` places, in turn from each group, int64."""
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    by_group = shuffled[np.argsort(groups[shuffled], kind="stable")]
    starts = np.flatnonzero(np.diff(groups[by_group], prepend=-1))
    turn = np.arange(len(by_group)) - np.repeat(starts, np.diff(np.append(starts, len(by_group))))
    rank = np.empty(len(groups), np.int64)
    rank[by_group] = turn
    return np.asarray(shuffled[np.argsort(rank[shuffled], kind="stable")][:limit], np.int64)


def _groups(rows: Sequence[Row]) -> list[frozenset[str]]:
    """`name=value` of every declared attribute, and of the skin-tone band, of each row."""
    bands = _skin(rows)
    names = {*attribute_names(rows), *([SKIN] if len(set(bands.values())) > 1 else [])}
    said = [{f"{name}={value}" for name, value in declared(row).items()} for row in rows]
    for row, own in zip(rows, said, strict=True):
        own.update(f"{SKIN}={band}" for band in [bands.get(row["subject"])] if band)
    return [frozenset(e for e in one if e.partition("=")[0] in names) for one in said]


def _skin(rows: Sequence[Row]) -> dict[str, str]:
    """Subject -> band of the median ITA of its pictures, as the report of the data has it."""
    seen: dict[str, list[float]] = {}
    for row in rows:
        if row["ita_deg"] is not None:
            seen.setdefault(row["subject"], []).append(row["ita_deg"])
    return {
        subject: ITA_NAMES[int(np.searchsorted(ITA_EDGES, np.median(values), side="right"))]
        for subject, values in seen.items()
    }
