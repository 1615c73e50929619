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


def multiplicities(subjects: int, replicates: int, seed: int = 0) -> Iterator[Codes]:
    """How often each subject was drawn, replicate by replicate; int64 [subjects]."""
    rng = np.random.default_rng(seed)
    for _ in range(replicates):
        yield np.bincount(rng.integers(0, subjects, subjects), minlength=subjects)


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
    for drawn in multiplicities(subjects, replicates, seed):
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
    return percentiles(np.array([figure(weight) for weight in weights]), confidence)


def percentiles(values: Weights, confidence: float = 0.95) -> Interval | None:
    """Percentile interval of a figure's replicates; None where most have no value."""
    known = values[np.isfinite(values)]
    if not len(known) or len(known) < _TOO_FEW * len(values):
        return None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def bootstrap_share(
    errors: NDArray[np.bool_] | Weights,
    first: Codes,
    second: Codes | None = None,
    *,
    replicates: int = 400,
    seed: int = 0,
    subjects: int | None = None,
) -> Weights:
    """The share of errors in every replicate of `trial_weights`, float64 [R]; NaN without weight.

    Trials of the same subjects weigh the same, so they are added up once.

    Args:
        errors: [N], N >= 1: whether, or by how much, each trial goes wrong.
        subjects: K of all trials, so that their parts share the draws.
    """
    if subjects is None:
        subjects = int(max(first.max(), -1 if second is None else second.max())) + 1
    other = first if second is None else second
    pair, place = np.unique(first * subjects + other, return_inverse=True)
    trials = np.bincount(place, minlength=len(pair)).astype(np.float64)
    wrong = np.bincount(place, errors, len(pair))
    left, right = pair // subjects, pair % subjects
    shares = np.empty(replicates)
    for number, drawn in enumerate(multiplicities(subjects, replicates, seed)):
        weight = drawn[left] * np.where(left == right, 1, drawn[right])
        whole = float(weight @ trials)
        shares[number] = weight @ wrong / whole if whole else np.nan
    return shares
