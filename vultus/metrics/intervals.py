"""Intervals of a share of independent trials. Where trials depend on each other: `bootstrap`."""

import math
from statistics import NormalDist
from typing import NamedTuple

from vultus.metrics.beta import beta_quantile


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

    Source: Clopper and Pearson, Biometrika 26, 1934; its ends are quantiles of beta distributions.
    """
    if trials == 0:
        return Interval(0.0, 1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if errors == 0 else beta_quantile(tail, errors, trials - errors + 1)
    high = 1.0 if errors == trials else 1 - beta_quantile(tail, trials - errors, errors + 1)
    return Interval(low, high)


def rule_of_three(trials: int) -> float:
    """Upper 95 % bound of a rate after no error in `trials` independent trials; 1 without a trial.

    Source: ISO/IEC 19795-1, after Hanley and Lippman-Hand, JAMA 249, 1983.
    """
    return min(1.0, 3 / trials) if trials else 1.0
