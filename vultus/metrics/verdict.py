"""Whether an error rate meets a requirement, once its interval is known."""

import math
from collections.abc import Iterable

from vultus.contracts.words import Verdict
from vultus.metrics.intervals import Interval, clopper_pearson


def judge(interval: Interval | None, at_most: float) -> Verdict:
    """PASS if the whole interval meets the requirement, FAIL if none of it does, else nobody knows.

    Args: interval: of an error rate, None = could not be computed; at_most: the requirement.
    """
    if interval is None or math.isnan(interval.low + interval.high):
        return Verdict.NOT_ENOUGH_DATA
    if interval.high <= at_most:
        return Verdict.PASS
    return Verdict.FAIL if interval.low > at_most else Verdict.NOT_ENOUGH_DATA


def trials_needed(at_most: float) -> int:
    """Independent trials, all without error, from which "at most" could first be said at 95 %.

    Source: rule of 3, ISO/IEC 19795-1.
    """
    return math.ceil(3 / at_most)


def worst_verdict(said: Iterable[Verdict | None]) -> Verdict:
    """Of several requirements together: one FAIL fails, one that lacks data leaves it open.

    NOT ENOUGH DATA where nothing was required.
    """
    found = set(said)
    for verdict in (Verdict.FAIL, Verdict.NOT_ENOUGH_DATA, Verdict.PASS):
        if verdict in found:
            return verdict
    return Verdict.NOT_ENOUGH_DATA


def trials_needed_for(at_most: float, errors: int, confidence: float = 0.95) -> int:
    """Fewest independent trials after which so many errors still show "at most".

    Upper end of the two-sided Clopper-Pearson interval; `trials_needed` is the rule of 3 for no error.
    """
    low, high = 1, 2
    while clopper_pearson(errors, max(high, errors), confidence).high > at_most:
        low, high = high, 2 * high
    while low + 1 < high:
        middle = (low + high) // 2
        fits = clopper_pearson(errors, max(middle, errors), confidence).high <= at_most
        low, high = (low, middle) if fits else (middle, high)
    return high
