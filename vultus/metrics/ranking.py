"""Figures over all thresholds: EER, AUC, DET curve.

Sorted once, evaluated often: a bootstrap only changes the weights of the trials.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.errors import NoTrials

Values = NDArray[np.floating[Any]]
Weights = NDArray[np.float64]


@dataclass(frozen=True)
class Det:
    """Detection error trade-off: one operating point a distinct score, from all to none accepted.

    threshold float64 [M], ascending; fmr float64 [M], falling; fnmr float64 [M], rising.
    """

    threshold: NDArray[np.float64]
    fmr: NDArray[np.float64]
    fnmr: NDArray[np.float64]


class Ranking:
    """Trials in the order of their scores.

    Args: scores [N], higher = more alike or more bona fide; positive bool [N], mated or bona fide.
    """

    def __init__(self, scores: Values, positive: NDArray[np.bool_]) -> None:
        self._order = np.argsort(scores, kind="stable")
        self._scores = np.asarray(scores, np.float64)[self._order]
        self._positive = np.asarray(positive, bool)[self._order]
        # Ties share a threshold: a point lies behind the last trial of each distinct score.
        self._last = np.flatnonzero(np.append(self._scores[1:] != self._scores[:-1], True))

    def equal_error_rate(self, weights: Weights | None = None) -> float:
        """Rate at which both errors are equal, on the straight line between two points; NaN where
        one kind of trial has no weight. weights: float64 [N], in the order the scores came in.
        """
        rejected, accepted = self._rates(weights)
        if not np.isfinite(rejected[-1] + accepted[-1]):
            return float("nan")
        place = int(np.argmax(rejected >= accepted))
        before = accepted[place - 1] - rejected[place - 1]
        behind = rejected[place] - accepted[place]
        share = before / (before + behind)
        return float(rejected[place - 1] + share * (rejected[place] - rejected[place - 1]))

    def auc(self, weights: Weights | None = None) -> float:
        """Probability that a positive score is above a negative one, ties half; NaN as above.

        Source: Mann and Whitney, 1947; equals the area under the ROC curve.
        """
        rejected, accepted = self._rates(weights)
        return float(np.sum(-np.diff(accepted) * (1 - (rejected[1:] + rejected[:-1]) / 2)))

    def det(self) -> Det:
        """The whole curve. Raises: NoTrials, where one kind of trial is missing."""
        if self._positive.all() or not self._positive.any():
            raise NoTrials("a DET curve needs trials of both kinds")
        rejected, accepted = self._rates(None)
        points = np.append(self._scores[self._last], np.inf)
        return Det(points, accepted, rejected)

    def _rates(self, weights: Weights | None) -> tuple[Weights, Weights]:
        """Share of positives below and of negatives at or above each threshold, [M + 1] each."""
        mass = np.ones(len(self._order)) if weights is None else weights[self._order]
        high = np.cumsum(np.where(self._positive, mass, 0.0))
        low = np.cumsum(np.where(self._positive, 0.0, mass))
        both = high[-1] > 0 and low[-1] > 0 if len(high) else False
        if not both:
            nothing = np.full(len(self._last) + 1, np.nan)
            return nothing, nothing
        rejected, accepted = high[self._last] / high[-1], 1 - low[self._last] / low[-1]
        accepted[-1] = 0.0
        return np.insert(rejected, 0, 0.0), np.insert(accepted, 0, 1.0)


def equal_error_rate(scores: Values, positive: NDArray[np.bool_]) -> float:
    """EER, interpolated; NaN without both kinds of trial. Arguments as of Ranking."""
    return Ranking(scores, positive).equal_error_rate()


def auc(scores: Values, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve; NaN without both kinds of trial. Arguments as of Ranking."""
    return Ranking(scores, positive).auc()


def det(scores: Values, positive: NDArray[np.bool_]) -> Det:
    """DET curve. Arguments as of Ranking. Raises: NoTrials."""
    return Ranking(scores, positive).det()
