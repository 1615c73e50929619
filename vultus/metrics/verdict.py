"""Whether an error rate meets a requirement, once its interval is known."""

import math

from vultus.contracts.words import Verdict
from vultus.metrics.intervals import Interval


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
