"""FMR over every non-mated comparison of a set of faces, with its bootstrap, and no list of them.

Of 10,000 faces that is 50 million comparisons. What stays in memory: counts of their scores, and the few
that a threshold accepts.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vultus.metrics.bootstrap import multiplicities
from vultus.metrics.streaming import ComparisonCounts, count_pairs

Codes = NDArray[np.int64]
Scores = NDArray[np.float32]
_BLOCK = 1 << 22


class Everybody:
    """All comparisons of some faces with each other.

    counts: of mated and of non-mated scores.
    """

    def __init__(
        self, embeddings: NDArray[np.float32], subjects: Codes, *, people: int | None = None
    ) -> None:
        """Args:
        embeddings: float32 [N, D], unit length.
        subjects: int64 [N], codes from 0.
        people: K of a larger set of which these faces are a part, so that both share the draws.
        """
        self._embeddings, self._subjects = embeddings, subjects
        self._people = int(subjects.max(initial=-1)) + 1 if people is None else people
        self.counts = ComparisonCounts()
        count_pairs(embeddings, subjects, self.counts)

    @property
    def non_mated(self) -> int:
        """How many comparisons of two people there are."""
        return self.counts.non_mated.scores

    @property
    def pairs(self) -> int:
        """Pairs of people behind them: as many may be independent."""
        people = len(np.unique(self._subjects))
        return people * (people - 1) // 2

    def accepted(self, threshold: float) -> tuple[Codes, Codes, Scores]:
        """Subjects and scores of the non-mated comparisons at or above a threshold, best first."""
        least = np.float32(threshold)
        first, second, scores = self._found(lambda scores: scores >= least)
        order = np.argsort(-scores, kind="stable")
        return self._subjects[first[order]], self._subjects[second[order]], scores[order]

    def listed(self, most: int, seed: int = 0) -> tuple[Codes, Codes, Scores]:
        """Places of both faces, and scores, of all non-mated comparisons, or of about `most` of them.

        Where there are more, each is taken with the same chance.
        """
        if self.non_mated <= most:
            return self._found(lambda scores: np.ones(scores.shape, bool))
        rng, share = np.random.default_rng(seed), most / self.non_mated
        return self._found(lambda scores: rng.random(scores.shape, np.float32) < share)

    def resampled(
        self, thresholds: NDArray[np.float32], *, replicates: int, seed: int
    ) -> NDArray[np.float64]:
        """FMR at each threshold in each replicate over subjects; NaN without weight.

        The same replicates as `trial_weights` draws for the list of all comparisons.

        Args: thresholds float32 [T]. Returns: float64 [R, T].
        """
        people = self._people
        first, second, scores = self.accepted(float(thresholds.min()))
        within = np.searchsorted(-scores, -thresholds, "right")
        pictures = np.bincount(self._subjects, minlength=people).astype(np.float64)
        rates = np.full((replicates, len(thresholds)), np.nan)
        for place, drawn in enumerate(multiplicities(people, replicates, seed)):
            weight = pictures * drawn
            # Every pair of pictures of two people, each as often as both were drawn.
            whole = (weight.sum() ** 2 - (weight**2).sum()) / 2
            if whole > 0:
                mass = np.append(0.0, np.cumsum(drawn[first] * drawn[second]))
                rates[place] = mass[within] / whole
        return rates

    def _found(self, chosen: Callable[[Scores], NDArray[np.bool_]]) -> tuple[Codes, Codes, Scores]:
        """Places and scores of the non-mated comparisons that `chosen` marks, a block at a time."""
        faces = len(self._embeddings)
        side = max(1, _BLOCK // max(1, faces))
        found = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
        for start in range(0, faces, side):
            rows = slice(start, min(start + side, faces))
            # The same product as `count_pairs` makes, so that both see the same last bit.
            scores = self._embeddings[rows] @ self._embeddings[start:].T
            later = np.arange(start, faces) > np.arange(rows.start, rows.stop)[:, None]
            other = self._subjects[rows, None] != self._subjects[start:]
            one, two = np.nonzero(later & other & chosen(scores))
            found.append((one + start, two + start, scores[one, two]))
        first, second, scores = (np.concatenate(part) for part in zip(*found, strict=True))
        return first, second, scores
