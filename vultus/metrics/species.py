"""BPCER at an APCER, under weights: what the bootstrap asks four hundred times."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class BpcerAtApcer:
    """BPCER at the smallest threshold whose APCER (worst species) is <= target.

    The same figure as `bpcer_at_apcer`, for presentations of unequal weight.

    Args: scores [N]; species str [N], "" = bona fide; target: the APCER.
    """

    def __init__(
        self, scores: NDArray[np.floating[Any]], species: NDArray[np.str_], target: float
    ) -> None:
        self._order = np.argsort(scores, kind="stable")
        ordered, named = scores[self._order], species[self._order]
        # A threshold at each distinct score, and one above all.
        self._edges = np.append(
            np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])), len(ordered)
        )
        self._attacks = [named == name for name in np.unique(named) if name]
        self._live = named == ""
        self._target = target

    def __call__(self, weights: NDArray[np.float64] | None = None) -> float:
        """The figure; NaN without bona fide or attack weight. weights: float64 [N]."""
        mass = np.ones(len(self._order)) if weights is None else weights[self._order]
        below = [self._below(mass, kind) for kind in self._attacks]
        refused, known = self._below(mass, self._live), [b for b in below if b is not None]
        if refused is None or not known:
            return float("nan")
        worst = np.max([1 - one for one in known], axis=0)
        return float(refused[int(np.argmax(worst <= self._target + 1e-9))])

    def _below(
        self, mass: NDArray[np.float64], kind: NDArray[np.bool_]
    ) -> NDArray[np.float64] | None:
        """Share of the kind's weight below each threshold; None without weight."""
        sums = np.append(0.0, np.cumsum(np.where(kind, mass, 0.0)))
        return sums[self._edges] / sums[-1] if sums[-1] > 0 else None
