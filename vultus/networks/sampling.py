"""Which example comes when: every group gets its share of each epoch, whatever its size."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def balanced_order(
    groups: Indices, shares: Mapping[int, float], size: int, rng: np.random.Generator
) -> Indices:
    """Draw `size` examples, each group its share; no example twice before its group is used up.

    Args:
        groups: int64 [N], the group of each example.
        shares: group -> relative share; groups that are not named get none.
        size: examples to draw.
    Returns: int64 [size], shuffled indices below N.
    """
    present = [group for group in sorted(shares) if (groups == group).any()]
    total = sum(shares[group] for group in present)
    # Cumulative rounding: the quotas add up to `size` exactly.
    edges = np.rint(size * np.cumsum([0.0, *(shares[group] / total for group in present)]))
    drawn = [
        _cycle(np.flatnonzero(groups == group), int(quota), rng)
        for group, quota in zip(present, np.diff(edges), strict=True)
    ]
    order: Indices = rng.permutation(np.concatenate(drawn))
    return order


def even_shares(groups: Indices) -> dict[int, float]:
    """The same share for every group."""
    return {int(group): 1.0 for group in np.unique(groups)}


def _cycle(members: Indices, quota: int, rng: np.random.Generator) -> Indices:
    rounds = -(-quota // len(members))
    shuffled = [rng.permutation(members) for _ in range(rounds)]
    return np.concatenate([*shuffled, members[:0]])[:quota]
