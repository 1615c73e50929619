"""1:N search: FPIR, FNIR and the rank of the mate, with probes of nobody enrolled (open set).

Source: ISO/IEC 19795-1:2021; Grother, Ngan, Hanaoka, NISTIR 8271 (FNIR at a rank and a threshold).
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from vultus.errors import NoTrials

Values = NDArray[np.floating[Any]]
Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Searches:
    """What a search of each probe found.

    mate_score [N]: best score of the probe's own subject, NaN where it is not enrolled;
    mate_rank int64 [N]: 1 = first of the candidate list, 0 where it is not enrolled; a tie counts
    against the mate. other_score [N]: best score of everybody else, -inf in a gallery of one.
    """

    mate_score: Values
    mate_rank: Ranks
    other_score: Values

    @classmethod
    def of(cls, scores: Values, gallery: NDArray[np.int64], probes: NDArray[np.int64]) -> Self:
        """Rank subjects by their best reference.

        Args: scores [N, G]; gallery int64 [G], probes int64 [N]: subjects as codes.
        """
        enrolled, column = np.unique(gallery, return_inverse=True)
        best = np.full((len(probes), len(enrolled)), -np.inf)
        for reference, place in enumerate(column):
            np.maximum(best[:, place], scores[:, reference], out=best[:, place])
        own = probes[:, None] == enrolled
        known = own.any(axis=1)
        mate = np.where(known, np.where(own, best, -np.inf).max(axis=1, initial=-np.inf), np.nan)
        others = np.where(own, -np.inf, best)
        rank = 1 + (others >= mate[:, None]).sum(axis=1)
        return cls(mate, np.where(known, rank, 0), others.max(axis=1, initial=-np.inf))

    @property
    def mated(self) -> NDArray[np.bool_]:
        """Whose subject is enrolled, bool [N]."""
        return self.mate_rank > 0


def cumulative_match(ranks: Ranks, most: int) -> NDArray[np.float64]:
    """CMC: share of mated searches whose mate is among the first 1, 2 … `most`; float64 [most].

    Args: ranks int64 [N], from 1. Raises: NoTrials.
    """
    if not len(ranks):
        raise NoTrials("a CMC needs a search whose subject is enrolled; none was given")
    found = np.bincount(np.minimum(ranks, most + 1), minlength=most + 2)
    return np.cumsum(found[1 : most + 1]) / len(ranks)


def fnir(searches: Searches, threshold: float, rank: int | None = None) -> float:
    """Share of mated searches without the mate at or above the threshold and within the rank.

    Raises: NoTrials.
    """
    mated = searches.mated
    if not mated.any():
        raise NoTrials("FNIR needs a search whose subject is enrolled; none was given")
    return float(missed(searches, threshold, rank)[mated].mean())


def fpir(other_scores: Values, threshold: float) -> float:
    """Share of searches of nobody enrolled that return anybody.

    Args: other_scores [N]: best score of those who are not the probe. Raises: NoTrials.
    """
    if not len(other_scores):
        raise NoTrials("FPIR needs a search of somebody who is not enrolled; none was given")
    return float(np.mean(other_scores >= threshold))


def missed(searches: Searches, threshold: float, rank: int | None = None) -> NDArray[np.bool_]:
    """Which searches do not return the mate, bool [N]."""
    found = searches.mate_score >= threshold
    if rank is not None:
        found &= searches.mate_rank <= rank
    return ~found


def fpir_from_fmr(fmr: float, gallery: int) -> float:
    """FPIR of a gallery if its comparisons were independent: 1 - (1 - FMR)^N."""
    return float(-np.expm1(gallery * np.log1p(-fmr)))


def fmr_from_fpir(fpir: float, gallery: int) -> float:
    """FMR of one comparison that gives this FPIR, under the same assumption."""
    return float(-np.expm1(np.log1p(-fpir) / max(gallery, 1)))


def chance_among(known: Ranks, others: int, drawn: int) -> NDArray[np.float64]:
    """Chance that a gallery of `drawn` people, taken at random from `others`, holds one of `known`.

    1 - C(others - known, drawn) / C(others, drawn): what the mean over all such galleries is.

    Args: known int64 [N], 0 .. others; drawn: 0 .. others.
    """
    logs = np.append(0.0, np.cumsum(np.log(np.arange(1, others + 1))))
    rest = others - known
    room = np.maximum(rest - drawn, 0)
    none = np.exp(logs[rest] - logs[room] - logs[others] + logs[others - drawn])
    # Without anybody known there is no chance, not 1e-16 of one.
    found = np.where(known == 0, 0.0, np.clip(1 - none, 0.0, 1.0))
    return np.where(rest >= drawn, found, 1.0)
