"""Intervals of any figure where trials depend on each other, because they share subjects.

One replicate draws as many subjects as there are, with replacement. A trial then counts as often as
its subjects were drawn: once for each drawing of the one subject, or the product for two.
Source: Bolle, Ratha, Pankanti, Error analysis of pattern recognition systems, CVIU 93, 2004;
Snijders and Borgatti, Non-parametric standard errors and tests for network statistics, 1999.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from vultus.metrics.intervals import Interval

Codes = NDArray[np.int64]
Weights = NDArray[np.float64]
_TOO_FEW = 0.5


def trial_weights(
    first: Codes, second: Codes | None = None, *, replicates: int, seed: int = 0
) -> Iterator[Weights]:
    """How often each trial counts, replicate by replicate.

    Args:
        first: subject of each trial as codes 0 .. K-1, int64 [N].
        second: the other side's subject, where a trial has two; equal codes = mated.
    Yields: float64 [N].
    """
    subjects = int(max(first.max(), -1 if second is None else second.max())) + 1
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        drawn = np.bincount(rng.integers(0, subjects, subjects), minlength=subjects)
        weight = drawn[first].astype(np.float64)
        if second is not None:
            weight *= np.where(first == second, 1.0, drawn[second])
        yield weight


def bootstrap(
    figure: Callable[[Weights], float],
    first: Codes,
    second: Codes | None = None,
    *,
    replicates: int = 400,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """Percentile interval of `figure` over replicates of `trial_weights`.

    Args: figure: weights float64 [N] -> its value, NaN where it is not defined.
    Returns: None with fewer than two subjects, or where most replicates have no value.
    """
    if len(first) == 0 or int(max(first.max(), 0 if second is None else second.max())) < 1:
        return None
    weights = trial_weights(first, second, replicates=replicates, seed=seed)
    values = np.array([figure(weight) for weight in weights])
    known = values[np.isfinite(values)]
    if len(known) < _TOO_FEW * replicates:
        return None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
