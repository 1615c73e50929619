"""Operating points: thresholds with their error rate on the validation split, and an upper bound."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluate.figures import units
from components.evaluate.params import EvaluateParams
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import THRESHOLDS
from vultus.metrics import Calibration, clopper_pearson, rule_of_three, trial_weights

Codes = NDArray[np.int64]
_EVERY_ONE_UP_TO = 40
_MOST = 200


class Kind(Protocol):
    """Scores of one kind that should be refused."""

    def points(self) -> Scores:
        """Thresholds that matter to it."""

    def rates(self, points: Scores) -> NDArray[np.float64]:
        """Share accepted at each point."""

    def bounds(self, points: Scores, params: EvaluateParams) -> NDArray[np.float64]:
        """Upper ends of the 95 % intervals of the rates."""


@dataclass(frozen=True)
class Negatives:
    """Scores that should be refused: float32 [N], and the subjects behind them, codes [N]."""

    scores: Scores
    first: Codes
    second: Codes | None

    def points(self) -> Scores:
        """One threshold above the first refused score for each number of accepted ones."""
        ordered = np.sort(self.scores)[::-1]
        above = np.nextafter(ordered[grid(len(ordered))], np.float32(np.inf))
        return np.asarray(np.append(above, ordered[-1]), np.float32)

    def rates(self, points: Scores) -> NDArray[np.float64]:
        """Share accepted at each point."""
        below = np.searchsorted(np.sort(self.scores), points, "left").astype(np.float64)
        return np.asarray(1 - below / len(self.scores))

    def bounds(self, points: Scores, params: EvaluateParams) -> NDArray[np.float64]:
        """Upper ends of the 95 % intervals at the points, float64."""
        order = np.argsort(self.scores, kind="stable")
        below = np.searchsorted(self.scores[order], points, "left")
        accepted = len(order) - below
        exact = [clopper_pearson(int(count), len(order)).high for count in accepted]
        nothing = rule_of_three(units(self.first, self.second))
        exact = [
            bound if count else max(bound, nothing)
            for bound, count in zip(exact, accepted, strict=True)
        ]
        drawn = []
        weights = trial_weights(
            self.first, self.second, replicates=params.replicates, seed=params.seed
        )
        for weight in weights:
            mass = np.append(0.0, np.cumsum(weight[order]))
            if mass[-1] > 0:
                drawn.append(1 - mass[below] / mass[-1])
        if not drawn:
            return np.array(exact)
        return np.asarray(np.maximum(exact, np.quantile(drawn, 0.975, axis=0)), np.float64)


def operating_points(
    kinds: Sequence[Kind], calibration: Calibration, params: EvaluateParams
) -> pa.Table:
    """Rows of THRESHOLDS, strictest first.

    Args: kinds: non-mated comparisons, or one entry a PAI species, of which the worst counts.
    Returns: thresholds at which 0, 1, 2 ... negatives of a kind are accepted, each one up to 40, then
        ever sparser, 200 a kind at most. `fmr_high` is the higher of Clopper-Pearson (independent
        trials) and the bootstrap over subjects; where nothing was accepted, the rule of 3 over
        subjects or subject pairs.
    """
    points = np.unique(np.concatenate([kind.points() for kind in kinds]))[::-1]
    rates = np.max([kind.rates(points) for kind in kinds], axis=0)
    bounds = np.max([kind.bounds(points, params) for kind in kinds], axis=0)
    return pa.table(
        [points, calibration.llr(points).astype(np.float32), rates, bounds], schema=THRESHOLDS
    )


def grid(scores: int) -> NDArray[np.int64]:
    """Numbers of accepted scores that get a threshold: each one up to 40, then ever sparser."""
    sparse = np.geomspace(_EVERY_ONE_UP_TO, max(scores, 41), _MOST - _EVERY_ONE_UP_TO)
    counts = np.unique(np.concatenate([np.arange(_EVERY_ONE_UP_TO), sparse.astype(np.int64)]))
    return np.asarray(counts[counts < scores], np.int64)
