"""Intervals of a share of independent trials. Where trials depend on each other: `bootstrap`."""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """Two-sided confidence interval."""

    low: float
    high: float


def wilson(errors: int, trials: int, confidence: float = 0.95) -> Interval:
    """Score interval; short, and right on average.

    Source: Wilson, Probable inference, JASA 22, 1927.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = errors / trials, z * z / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / trials + weight / (4 * trials))
    # At no error and at nothing but errors the formula is exact on that side; rounding is not.
    low = 0.0 if errors == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if errors == trials else min(1.0, middle + half))


def clopper_pearson(errors: int, trials: int, confidence: float = 0.95) -> Interval:
    """Exact interval: never covers less than it promises.

    Source: Clopper and Pearson, Biometrika 26, 1934; found by bisection of the binomial tail.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else _share_where(lambda p: 1 - _cdf(errors - 1, trials, p), tail)
    high = (
        1.0 if errors == trials else 1 - _share_where(lambda q: _cdf(errors, trials, 1 - q), tail)
    )
    return Interval(low, high)


def rule_of_three(trials: int) -> float:
    """Upper 95 % bound of a rate after no error in `trials` independent trials; 1 without a trial.

    Source: ISO/IEC 19795-1, after Hanley and Lippman-Hand, JAMA 249, 1983.
    """
    return min(1.0, 3 / trials) if trials else 1.0


def _share_where(tail_at: Callable[[float], float], wanted: float) -> float:
    """The share at which a rising tail probability reaches `wanted`."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail_at(middle) < wanted else (low, middle)
    return (low + high) / 2


def _cdf(errors: int, trials: int, share: float) -> float:
    """P(X <= errors), X binomial."""
    if share <= 0:
        return 1.0
    if share >= 1:
        return 1.0 if errors >= trials else 0.0
    counts = np.arange(errors + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((trials - counts[1:] + 1) / counts[1:]))])
    logs = log_choose + counts * math.log(share) + (trials - counts) * math.log1p(-share)
    return float(min(1.0, np.exp(logs).sum()))
