"""Scores as log-likelihood ratios (natural log): how much more likely the same person than another.

Source: Brümmer and du Preez, Application-independent evaluation of speaker detection, Computer Speech
and Language 20, 2006 (Cllr, PAV); ISO/IEC 19795-1 leaves the meaning of a score to its maker.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.errors import NoTrials

Values = NDArray[np.floating[Any]]
Logs = NDArray[np.float64]
_RIDGE = 1e-3
_STEPS = 60


@dataclass(frozen=True)
class Calibration:
    """llr = slope * score + offset; slope > 0, so that the order of scores stays."""

    slope: float
    offset: float

    def llr(self, scores: Values) -> Logs:
        """Scores [N] -> log-likelihood ratios float64 [N]."""
        return np.asarray(scores, np.float64) * self.slope + self.offset


def calibrate(positive: Values, negative: Values) -> Calibration:
    """Logistic regression in which both kinds of trial weigh the same: the prior drops out.

    Newton's method on standardised scores with a small ridge, so that separable scores end too.

    Args: positive, negative: scores of mated and non-mated (bona fide and attack) trials, [N] each.
    Raises: NoTrials, where one kind is missing.
    """
    if len(positive) == 0 or len(negative) == 0:
        raise NoTrials("calibration needs trials of both kinds")
    scores = np.concatenate([positive, negative]).astype(np.float64)
    labels = np.repeat([1.0, 0.0], [len(positive), len(negative)])
    weights = np.where(labels == 1, 0.5 / len(positive), 0.5 / len(negative))
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    design = np.stack([(scores - centre) / spread, np.ones(len(scores))], axis=1)
    ridge = np.diag([_RIDGE, 0.0])
    beta = np.zeros(2)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ beta, -50, 50)))
        slope = design.T @ (weights * (chance - labels)) + ridge @ beta
        bend = design.T @ (design * (weights * chance * (1 - chance))[:, None]) + ridge
        move = np.linalg.solve(bend + 1e-12 * np.eye(2), slope)
        beta = beta - move / max(1.0, float(np.abs(move).max()))
        if float(np.abs(move).max()) < 1e-10:
            break
    steepness = max(float(beta[0]) / spread, 1e-6)
    return Calibration(steepness, float(beta[1]) - steepness * centre)


def cllr(positive: Values, negative: Values) -> float:
    """Cost of log-likelihood ratios in bits; 0 = perfect, 1 = as good as no answer at all.

    Args: positive, negative: llr [N] of the two kinds of trial.
    Raises: NoTrials.
    """
    if len(positive) == 0 or len(negative) == 0:
        raise NoTrials("Cllr needs trials of both kinds")
    missed = np.logaddexp(0, -np.asarray(positive, np.float64)).mean()
    taken = np.logaddexp(0, np.asarray(negative, np.float64)).mean()
    return float((missed + taken) / (2 * np.log(2)))


def isotonic_llr(positive: Values, negative: Values) -> tuple[Logs, Logs]:
    """The best llr that any rising function of the score could give on these very trials.

    Pool adjacent violators; its Cllr is the part that no calibration can take away.

    Returns: llr of the positive and of the negative trials; ±inf at the pure ends.
    Raises: NoTrials.
    """
    if len(positive) == 0 or len(negative) == 0:
        raise NoTrials("isotonic calibration needs trials of both kinds")
    scores = np.concatenate([positive, negative]).astype(np.float64)
    labels = np.repeat([1.0, 0.0], [len(positive), len(negative)])
    values, place = np.unique(scores, return_inverse=True)
    hits = np.bincount(place, labels, len(values)).astype(np.float64)
    share = _pooled(hits, np.bincount(place, minlength=len(values)).astype(np.int64))
    with np.errstate(divide="ignore"):
        logit = np.log(share) - np.log1p(-share)
    llr = logit[place] - np.log(len(positive) / len(negative))
    return llr[: len(positive)], llr[len(positive) :]


def _pooled(hits: NDArray[np.float64], trials: NDArray[np.int64]) -> NDArray[np.float64]:
    """Pool neighbours until the share of hits rises; float64, one a distinct score."""
    blocks: list[tuple[float, int, int]] = []
    for hit, count in zip(hits.tolist(), trials.tolist(), strict=True):
        block = (hit, count, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    shares = [hit / count for hit, count, _ in blocks]
    return np.repeat(shares, [width for *_, width in blocks])
