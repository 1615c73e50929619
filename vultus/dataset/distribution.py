"""Two samples of one quantity against each other: how far it moved, and whether chance did it."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.float32] | NDArray[np.float64]
Sorted = NDArray[np.float64]
_BINS = 10
_LEAST_SHARE = 1e-4
_CHANCE = 0.01
SLIGHT, MOVED = 0.1, 0.25
"""PSI from which a change is called slight and large.
Source: Siddiqi, Credit Risk Scorecards, 2006 (a convention, no test)."""


@dataclass(frozen=True)
class Spread:
    """Where a quantity lies: number, quantiles, share of it that is not known."""

    n: int
    low: float
    q05: float
    median: float
    q95: float
    high: float


@dataclass(frozen=True)
class Shift:
    """One quantity before and after.

    psi: population stability index over ten bins of the first sample, or over the words.
    distance: Kolmogorov-Smirnov, or total variation of words; 0 = equal, 1 = apart.
    p: probability of such a change by chance, if only subjects are independent.
    """

    name: str
    before: int
    after: int
    psi: float
    distance: float
    p: float
    said: str

    @property
    def verdict(self) -> str:
        """`moved`, `slightly` or `same`; what chance explains has not moved."""
        if self.psi < SLIGHT or self.p > _CHANCE:
            return "same"
        return "moved" if self.psi >= MOVED else "slightly"


def spread(values: Sample) -> Spread | None:
    """None where no value is known. Args: values [N], NaN = not known."""
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    low, q05, median, q95, high = np.quantile(known, [0, 0.05, 0.5, 0.95, 1])
    return Spread(known.size, float(low), float(q05), float(median), float(q95), float(high))


def number_shift(
    name: str, before: Sample, after: Sample, independent: tuple[int, int]
) -> Shift | None:
    """Compare a quantity; None where one side knows no value.

    Args: independent: subjects of each side; pictures of one person are no independent draws.
    """
    first, second = _known(before), _known(after)
    if not first.size or not second.size:
        return None
    distance = _ks(first, second)
    return Shift(
        name,
        first.size,
        second.size,
        psi(*_binned(first, second)),
        distance,
        _ks_chance(distance, *(max(1, n) for n in independent)),
        f"{float(np.median(first)):.4g} → {float(np.median(second)):.4g}",
    )


def word_shift(
    name: str, before: dict[str, int], after: dict[str, int], independent: tuple[int, int]
) -> Shift | None:
    """Compare shares of words; None where one side has none.

    Args: before, after: word -> count; independent: subjects of each side.
    """
    first, second = sum(before.values()), sum(after.values())
    if not first or not second:
        return None
    words = sorted({*before, *after})
    a = np.array([before.get(word, 0) for word in words]) / first
    b = np.array([after.get(word, 0) for word in words]) / second
    most = int(np.argmax(np.abs(b - a)))
    said = f"{words[most]} {100 * a[most]:.0f} % → {100 * b[most]:.0f} %"
    index, distance = psi(a, b), float(np.abs(a - b).sum() / 2)
    return Shift(
        name, first, second, index, distance, _psi_chance(index, len(words), *independent), said
    )


def psi(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Population stability index of two lists of shares; an empty share counts as 1e-4."""
    a, b = (np.maximum(x, _LEAST_SHARE) for x in (before, after))
    return float(((b - a) * np.log(b / a)).sum())


def _known(values: Sample) -> Sorted:
    return np.sort(np.asarray(values[np.isfinite(values)], np.float64))


def _binned(first: Sorted, second: Sorted) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of both in ten bins that hold about equally many of the first; both sorted."""
    edges = np.unique(np.quantile(first, np.linspace(0, 1, _BINS + 1)[1:-1]))
    shares = []
    for values in (first, second):
        upto = np.concatenate([[0], np.searchsorted(values, edges, side="left"), [values.size]])
        shares.append(np.diff(upto) / values.size)
    return shares[0], shares[1]


def _ks(first: Sorted, second: Sorted) -> float:
    """Largest distance of the two empirical distribution functions; both sorted."""
    steps = np.concatenate([first, second])
    a = np.searchsorted(first, steps, side="right") / first.size
    b = np.searchsorted(second, steps, side="right") / second.size
    return float(np.abs(a - b).max())


def _ks_chance(distance: float, n: int, m: int) -> float:
    """Asymptotic p with Stephens' correction. Source: Press et al., Numerical Recipes, 14.3."""
    root = math.sqrt(n * m / (n + m))
    x = (root + 0.12 + 0.11 / root) * distance
    if x < 0.2:
        return 1.0
    total = sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return float(min(1.0, max(0.0, 2 * total)))


def _psi_chance(index: float, words: int, n: int, m: int) -> float:
    """PSI times nm/(n+m) is about chi-squared with words - 1 degrees of freedom where nothing moved.

    Source: Yurdakul and Naranjo, Statistical properties of the population stability index, 2020;
    the chi-squared tail after Wilson and Hilferty, 1931.
    """
    if words < 2 or not n or not m:
        return 1.0
    free = words - 1
    x = index * n * m / (n + m)
    z = ((x / free) ** (1 / 3) - (1 - 2 / (9 * free))) / math.sqrt(2 / (9 * free))
    return 1 - NormalDist().cdf(z)
