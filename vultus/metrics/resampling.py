"""Figures of 1:1 trials under the bootstrap over subjects, a million trials a few milliseconds.

The trials are sorted once, each kind by itself, with the subjects of each beside them. A replicate is
then one look-up of how often a subject was drawn, and one running sum: everything that a threshold
decides is a difference of two places in it. Draws are those of `bootstrap`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.metrics.bootstrap import Codes, multiplicities

Values = NDArray[np.floating[Any]]
Rates = NDArray[np.float64]


@dataclass(frozen=True)
class Replicates:
    """Figures of R replicates; NaN where a kind of trial had no weight.

    eer, auc float64 [R]; fnmr float64 [R, G]: at the threshold that the replicate itself sets for each
    FMR of a grid; accepted, refused float64 [R, T]: FMR and FNMR at given thresholds.
    """

    eer: Rates
    auc: Rates
    fnmr: Rates
    accepted: Rates
    refused: Rates


class Resampled:
    """Trials of both kinds, ready to be weighed.

    Args: scores [N]; positive bool [N]: mated or bona fide; first, second: subjects of each trial as
    codes from 0, int64 [N]; equal codes count once, as in `trial_weights`.
    """

    def __init__(
        self,
        scores: Values,
        positive: NDArray[np.bool_],
        first: Codes,
        second: Codes | None = None,
    ) -> None:
        self._subjects = int(max(first.max(), -1 if second is None else second.max())) + 1
        self._sides = [_Side(scores, kind, first, second) for kind in (positive, ~positive)]
        hits, misses = (side.scores for side in self._sides)
        values = np.unique(np.concatenate([hits, misses]))
        # Behind each distinct score: how many of a kind are not above it. Nothing is, at the start.
        self._hits_to = np.append(0, np.searchsorted(hits, values, "right"))
        self._misses_to = np.append(0, np.searchsorted(misses, values, "right"))
        self._below = np.searchsorted(misses, hits, "left")
        self._up_to = np.searchsorted(misses, hits, "right")

    def run(
        self,
        *,
        replicates: int,
        seed: int = 0,
        fmrs: Sequence[float] = (),
        thresholds: Sequence[float] = (),
    ) -> Replicates:
        """Draw subjects `replicates` times. Args: fmrs: the grid of `Replicates.fnmr`."""
        limits = np.asarray(thresholds, np.float64)
        places = [np.searchsorted(side.scores, limits, "left") for side in self._sides]
        rows = [
            self._one(drawn, fmrs, places)
            for drawn in multiplicities(self._subjects, replicates, seed)
        ]
        eer, auc, *rest = (np.array(column) for column in zip(*rows, strict=True))
        return Replicates(eer, auc, *rest)

    def _one(
        self, drawn: Codes, fmrs: Sequence[float], places: list[NDArray[np.intp]]
    ) -> tuple[float, float, Rates, Rates, Rates]:
        table = drawn.astype(np.int32)
        hits, misses = (side.sums(table) for side in self._sides)
        wide, many = int(hits[-1]), int(misses[-1])
        if not wide or not many:
            nothing, none = np.full(len(places[0]), np.nan), np.full(len(fmrs), np.nan)
            return float("nan"), float("nan"), none, nothing, nothing
        lost = np.diff(hits) @ (misses[self._below] + misses[self._up_to]).astype(np.float64)
        fnmr = [hits[self._hits_to[self._point(misses, fmr)]] / wide for fmr in fmrs]
        accepted: Rates = 1 - misses[places[1]] / many
        refused: Rates = hits[places[0]] / wide
        auc = float(lost) / (2 * wide * many)
        return self._eer(hits, misses), auc, np.array(fnmr), accepted, refused

    def _eer(self, hits: NDArray[np.int64], misses: NDArray[np.int64]) -> float:
        """As `Ranking.equal_error_rate`; the errors cross once, so a bisection finds where."""
        wide, many = int(hits[-1]), int(misses[-1])

        def rates(place: int) -> tuple[float, float]:
            refused = int(hits[self._hits_to[place]]) / wide
            return refused, 1 - int(misses[self._misses_to[place]]) / many

        low, high = 0, len(self._hits_to) - 1
        while high - low > 1:
            middle = (low + high) // 2
            refused, accepted = rates(middle)
            low, high = (low, middle) if refused >= accepted else (middle, high)
        (r0, a0), (r1, a1) = rates(low), rates(high)
        share = (a0 - r0) / ((a0 - r0) + (r1 - a1))
        return r0 + share * (r1 - r0)

    def _point(self, misses: NDArray[np.int64], fmr: float) -> int:
        """The lowest threshold whose FMR is <= fmr, as a place among the distinct scores."""
        least = int(np.ceil(float(misses[-1]) * (1 - fmr) - 1e-9))
        trials = int(np.searchsorted(misses, least, "left"))
        return int(np.searchsorted(self._misses_to, trials, "left"))


class _Side:
    """Trials of one kind, in the order of their scores."""

    def __init__(
        self, scores: Values, kind: NDArray[np.bool_], first: Codes, second: Codes | None
    ) -> None:
        places = np.flatnonzero(kind)
        order = places[np.argsort(scores[places], kind="stable")]
        self.scores = np.asarray(scores, np.float64)[order]
        self._first = first[order].astype(np.int32)
        self._second: NDArray[np.int32] | None = None
        if second is not None:
            other = second[order].astype(np.int32)
            self._alike = np.flatnonzero(other == self._first)
            self._second = None if len(self._alike) == len(order) else other

    def sums(self, table: NDArray[np.int32]) -> NDArray[np.int64]:
        """Weight of the first k trials, int64 [N + 1], for subjects drawn as `table` says."""
        weights = table.take(self._first)
        if self._second is not None:
            other = table.take(self._second)
            other[self._alike] = 1
            weights *= other
        sums = np.zeros(len(weights) + 1, np.int64)
        np.cumsum(weights, out=sums[1:])
        return sums
