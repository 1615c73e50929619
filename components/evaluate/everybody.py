"""All non-mated comparisons of a split, counted, where there are more than the raw score file lists."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluate.figures import nothing
from components.evaluate.operating import grid
from components.evaluate.params import EvaluateParams
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import COMPARISON_COUNTS, Figure
from vultus.contracts.words import Split
from vultus.metrics import (
    Everybody,
    Interval,
    clopper_pearson,
    judge,
    percentiles,
    rule_of_three,
)

_MOST = 1_000_000
"""Accepted comparisons that a replicate adds up; thresholds that accept more share a relative width."""


@dataclass(frozen=True)
class EveryNegative:
    """All non-mated comparisons, as `operating_points` wants its negatives."""

    every: Everybody

    def points(self) -> Scores:
        """One threshold above the first refused score for each number of accepted ones."""
        counts = self.every.counts.non_mated
        refused = np.array([counts.highest(int(rank)) for rank in grid(counts.scores)], np.float32)
        above = np.nextafter(refused, np.float32(np.inf))
        return np.asarray(np.append(above, counts.highest(counts.scores - 1)), np.float32)

    def rates(self, points: Scores) -> NDArray[np.float64]:
        """Share accepted at each point."""
        return np.array([self.every.counts.fmr(float(point)) for point in points])

    def bounds(self, points: Scores, params: EvaluateParams) -> NDArray[np.float64]:
        """Upper ends of the 95 % intervals; the bootstrap is over people."""
        whole = self.every.non_mated
        accepted = np.array([self.every.counts.non_mated.accepted(float(p)) for p in points])
        exact = np.array([clopper_pearson(int(count), whole).high for count in accepted])
        exact = np.where(accepted == 0, np.maximum(exact, rule_of_three(self.every.pairs)), exact)
        strict = np.flatnonzero(accepted <= max(_MOST, int(accepted.min())))
        drawn = self.every.resampled(points[strict], replicates=params.replicates, seed=params.seed)
        if not np.isfinite(drawn).any():
            return exact
        high = np.nanquantile(drawn, 0.975, axis=0)
        loosest = strict[np.argmax(accepted[strict])]
        width = float(high[strict == loosest][0]) / max(accepted[loosest] / whole, 1 / whole)
        bounds = np.minimum(1.0, width * accepted / whole)
        bounds[strict] = high
        return np.asarray(np.maximum(exact, bounds), np.float64)


def realised_figure(
    every: Everybody, threshold: float, params: EvaluateParams, *, name: str, method: str,
    at_most: float | None, slice_name: str = "all",
) -> Figure:  # fmt: skip
    """FMR over all comparisons: the wider of Clopper-Pearson and the bootstrap over people."""
    if not every.non_mated:
        return nothing(name, slice_name, method, at_most)
    point = np.float32(threshold)
    accepted = every.counts.non_mated.accepted(float(point))
    exact = clopper_pearson(accepted, every.non_mated)
    points = np.array([point], np.float32)
    drawn = percentiles(
        every.resampled(points, replicates=params.replicates, seed=params.seed)[:, 0]
    )
    low, high = exact if drawn is None else (min(exact.low, drawn.low), max(exact.high, drawn.high))
    how = "all comparisons; Clopper-Pearson and bootstrap over subjects, the wider"
    if not accepted:
        high = max(high, rule_of_three(every.pairs))
        how = "all comparisons; no error seen: rule of 3 over subject pairs"
    return Figure(
        name=name,
        value=accepted / every.non_mated,
        low=low,
        high=high,
        n=every.non_mated,
        slice=slice_name,
        method=f"{method}; {how}",
        verdict=None if at_most is None else judge(Interval(low, high), at_most),
    )


def counts_table(splits: dict[Split, Everybody | None]) -> pa.Table | None:
    """counts.parquet: every score of two people, and how often; None where all are listed."""
    parts = []
    for split, every in splits.items():
        if every is not None:
            scores, counts = every.counts.non_mated.table()
            names = pa.repeat(split.value, len(scores))
            parts.append(pa.table([names, scores, counts], schema=COMPARISON_COUNTS))
    return pa.concat_tables(parts) if parts else None
