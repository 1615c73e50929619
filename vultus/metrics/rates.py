"""Rates at a threshold, and thresholds at a rate.

Source: ISO/IEC 19795-1:2021 (FMR, FNMR), ISO/IEC 30107-3:2023 (APCER, BPCER).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.errors import NoTrials

Values = NDArray[np.floating[Any]]


def fmr(non_mated: Values, threshold: float) -> float:
    """False match rate: share of non-mated comparisons that are accepted.

    Args: non_mated: scores [N], N >= 1.
    Raises: NoTrials.
    """
    return _accepted(non_mated, threshold, "FMR needs a non-mated comparison")


def fnmr(mated: Values, threshold: float) -> float:
    """False non-match rate: share of mated comparisons that are refused.

    Args: mated: scores [N], N >= 1.
    Raises: NoTrials.
    """
    return 1 - _accepted(mated, threshold, "FNMR needs a mated comparison")


def apcer(attacks: Mapping[str, Values], threshold: float) -> float:
    """Share of attack presentations taken for bona fide, worst PAI species.

    Args: attacks: PAD scores [N] by species, N >= 1 each.
    Raises: NoTrials.
    """
    if not attacks:
        raise NoTrials("APCER needs at least one PAI species")
    return max(
        _accepted(scores, threshold, f"APCER needs a presentation of {species}")
        for species, scores in attacks.items()
    )


def bpcer(bona_fide: Values, threshold: float) -> float:
    """Share of bona fide presentations taken for attacks.

    Args: bona_fide: PAD scores [N], N >= 1.
    Raises: NoTrials.
    """
    return 1 - _accepted(bona_fide, threshold, "BPCER needs a bona fide presentation")


def threshold_at_fmr(non_mated: Values, target: float) -> float:
    """Smallest threshold whose FMR on these scores is <= target.

    Returns: the next number above a score, so that ties with it are refused.
    Raises: NoTrials.
    """
    ordered = np.sort(_given(non_mated, "a threshold needs a non-mated comparison"))[::-1]
    allowed = allowed_errors(target, len(ordered))
    if allowed >= len(ordered):
        return float(ordered[-1])
    return float(np.nextafter(ordered[allowed], np.inf))


def threshold_at_bpcer(bona_fide: Values, target: float) -> float:
    """Largest threshold whose BPCER on these scores is <= target; one of the scores.

    Raises: NoTrials.
    """
    ordered = np.sort(_given(bona_fide, "a threshold needs a bona fide presentation"))
    return float(ordered[min(allowed_errors(target, len(ordered)), len(ordered) - 1)])


def bpcer_at_apcer(attacks: Mapping[str, Values], bona_fide: Values, target: float) -> float:
    """BPCER at the smallest threshold whose APCER (worst species) is <= target.

    Source: ISO/IEC 30107-3: BPCER20 is target 0.05, BPCER10 is target 0.1.
    Raises: NoTrials.
    """
    if not attacks:
        raise NoTrials("BPCER at an APCER needs at least one PAI species")
    return bpcer(bona_fide, max(threshold_at_fmr(scores, target) for scores in attacks.values()))


def allowed_errors(target: float, count: int) -> int:
    """How many errors of `count` are at most `target`; 0.05 of 20 is 1, whatever the rounding."""
    return int(np.floor(target * count + 1e-9))


def _accepted(scores: Values, threshold: float, need: str) -> float:
    return float(np.mean(_given(scores, need) >= threshold))


def _given(scores: Values, need: str) -> Values:
    if len(scores) == 0:
        raise NoTrials(f"{need}; none was given")
    return scores
