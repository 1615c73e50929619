"""Two figures for watching a training; the report's figures come from `evaluate`."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


def auc(higher: Values, lower: Values) -> float:
    """Probability that a score of `higher` is above one of `lower`, ties half (Mann–Whitney)."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / (2 * len(lower)))


def equal_error_rate(higher: Values, lower: Values) -> float:
    """Where the share of `higher` below the threshold meets that of `lower` at or above it."""
    thresholds = np.unique(np.concatenate([higher, lower]))
    missed = np.searchsorted(np.sort(higher), thresholds, "left") / len(higher)
    taken = 1 - np.searchsorted(np.sort(lower), thresholds, "left") / len(lower)
    nearest = int(np.argmin(np.abs(missed - taken)))
    return float((missed[nearest] + taken[nearest]) / 2)
