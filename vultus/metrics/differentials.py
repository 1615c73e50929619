"""How unequal an error rate is over demographic groups at one shared threshold.

Source: ISO/IEC 19795-10:2024 (differentials of error rates); Howard, Laird, Rubin, Sirotin, Tipton,
Vemury, Evaluating proposed fairness models for face recognition algorithms, ICPR workshops 2022 (GARBE).
"""

from collections.abc import Sequence

import numpy as np


def worst_to_best(rates: Sequence[float]) -> float:
    """The highest rate divided by the lowest; inf where a group has no error and another has,
    NaN without two groups or without any error.
    """
    if len(rates) < 2 or not np.isfinite(rates).all() or max(rates) == 0:
        return float("nan")
    return max(rates) / min(rates) if min(rates) > 0 else float("inf")


def gini(rates: Sequence[float]) -> float:
    """Gini coefficient, 0 = all alike, 1 = one group has all errors; corrected by n / (n - 1).

    0 where nobody errs; NaN without two groups.
    """
    values = np.asarray(rates, np.float64)
    if len(values) < 2 or not np.isfinite(values).all():
        return float("nan")
    if values.sum() == 0:
        return 0.0
    apart = float(np.abs(values[:, None] - values).sum())
    return apart / (2 * len(values) * (len(values) - 1) * float(values.mean()))


def garbe(fmrs: Sequence[float], fnmrs: Sequence[float], alpha: float = 0.5) -> float:
    """Gini aggregation rate for biometric equitability: alpha weighs FMR against FNMR; 0 = fair."""
    return alpha * gini(fmrs) + (1 - alpha) * gini(fnmrs)
