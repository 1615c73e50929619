"""Tests of one system against another on the same trials, and of many such tests at once."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


def mcnemar(worse: int, better: int) -> float:
    """One-sided exact p: how likely so many or more of the disagreements go against the candidate.

    Args: worse: trials only the candidate gets wrong; better: trials only the other gets wrong.
    Returns: 1 without a disagreement.
    Source: McNemar, Psychometrika 12, 1947; exact form, binomial with share 1/2.
    """
    both = worse + better
    logs = [
        math.lgamma(both + 1) - math.lgamma(k + 1) - math.lgamma(both - k + 1) - both * math.log(2)
        for k in range(worse, both + 1)
    ]
    return min(1.0, math.fsum(math.exp(one) for one in logs))


def mcnemar_by_group(ours_wrong: Flags, theirs_wrong: Flags, groups: NDArray[np.int64]) -> float:
    """`mcnemar` in which every group (subject) counts once, for the side it errs on more often.

    Trials of one subject depend on each other: counted one by one they would prove too much.

    Args: bool [N] each: the trial was decided wrongly; groups: codes 0 .. K-1, int64 [N].
    """
    if not len(groups):
        return 1.0
    balance = np.bincount(groups, ours_wrong.astype(float) - theirs_wrong.astype(float))
    return mcnemar(int((balance > 0).sum()), int((balance < 0).sum()))


def holm(chances: Sequence[float]) -> list[float]:
    """p-values of a family, adjusted: compared with one level, the family errs no more often than it.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6, 1979.
    """
    order = np.argsort(chances, kind="stable")
    adjusted = np.empty(len(chances))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[int(place)]))
        adjusted[place] = highest
    return [float(one) for one in adjusted]
