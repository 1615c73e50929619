"""All 1:1 figures of more comparisons than memory holds, from counts of their scores.

Exact: what comes out is what `Ranking` and `rates` say of the same scores in one array.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vultus.errors import NoTrials
from vultus.metrics.counts import ScoreCounts
from vultus.metrics.ranking import Det
from vultus.metrics.rates import allowed_errors

_BLOCK = 1 << 22  # comparisons scored at once: 16 MB


class ComparisonCounts:
    """Scores of mated and of non-mated comparisons; grows, merges, and travels between processes."""

    def __init__(self) -> None:
        self.mated = ScoreCounts()
        self.non_mated = ScoreCounts()

    def add(self, scores: NDArray[np.float32], mated: NDArray[np.bool_]) -> None:
        """Count float32 [N]; mated bool [N]. Raises: BadParameter, where a score is NaN."""
        self.mated.add(scores[mated])
        self.non_mated.add(scores[~mated])

    def merge(self, other: "ComparisonCounts") -> None:
        """Take the comparisons of `other` in as well."""
        self.mated.merge(other.mated)
        self.non_mated.merge(other.non_mated)

    def fmr(self, threshold: float) -> float:
        """Share of non-mated comparisons accepted. Raises: NoTrials."""
        return self.non_mated.accepted(threshold) / _some(self.non_mated, "FMR")

    def fnmr(self, threshold: float) -> float:
        """Share of mated comparisons refused. Raises: NoTrials."""
        return 1 - self.mated.accepted(threshold) / _some(self.mated, "FNMR")

    def threshold_at_fmr(self, target: float) -> float:
        """Smallest threshold whose FMR is <= target, as `rates.threshold_at_fmr`. Raises: NoTrials."""
        trials = _some(self.non_mated, "a threshold")
        allowed = allowed_errors(target, trials)
        if allowed >= trials:
            return float(self.non_mated.highest(trials - 1))
        return float(np.nextafter(self.non_mated.highest(allowed), np.float32(np.inf)))

    def det(self, fmrs: Sequence[float]) -> Det:
        """The DET curve at these FMRs, highest first: rates as counted at each threshold.

        Raises: NoTrials.
        """
        points = [self.threshold_at_fmr(fmr) for fmr in sorted(fmrs, reverse=True)]
        return Det(
            np.array(points),
            np.array([self.fmr(point) for point in points]),
            np.array([self.fnmr(point) for point in points]),
        )

    def equal_error_rate(self) -> float:
        """EER on the straight line between two points. Raises: NoTrials."""
        mated, others = _some(self.mated, "EER"), _some(self.non_mated, "EER")
        crossed = (p for p in self._pages() if p.hits_end / mated >= 1 - p.misses_end / others)
        page = next(crossed)
        same, other = page.hits_below, page.misses_below
        hits, misses = self.mated.counts(page.number), self.non_mated.counts(page.number)
        places = np.flatnonzero(hits + misses)
        rejected = np.append(same, same + np.cumsum(hits)[places]) / mated
        accepted = 1 - np.append(other, other + np.cumsum(misses)[places]) / others
        place = int(np.argmax(rejected >= accepted))
        before, behind = (
            accepted[place - 1] - rejected[place - 1],
            rejected[place] - accepted[place],
        )
        share = before / (before + behind)
        return float(rejected[place - 1] + share * (rejected[place] - rejected[place - 1]))

    def auc(self) -> float:
        """Chance that a mated score is above a non-mated one, ties half. Raises: NoTrials."""
        pairs = _some(self.mated, "AUC") * _some(self.non_mated, "AUC")
        won = 0
        for page in self._pages():
            if page.hits_end == page.hits_below:
                continue
            hits, misses = self.mated.counts(page.number), self.non_mated.counts(page.number)
            lost = 2 * (np.cumsum(misses) - misses) + misses
            # Twice the pairs won, as whole numbers: Python's know no end.
            won += 2 * page.misses_below * (page.hits_end - page.hits_below)
            won += sum(int(h) * int(m) for h, m in zip(hits[hits > 0], lost[hits > 0], strict=True))
        return won / (2 * pairs)

    def _pages(self) -> Iterator["_Spread"]:
        """Every page in which a score lies, rising."""
        mated, others = self.mated.pages(), self.non_mated.pages()
        same = other = 0
        for number in sorted({*mated, *others}):
            ends = same + mated.get(number, 0), other + others.get(number, 0)
            yield _Spread(number, same, ends[0], other, ends[1])
            same, other = ends


class _Spread(NamedTuple):
    """A page, and how many mated (hits) and non-mated scores (misses) lie below and up to it."""

    number: int
    hits_below: int
    hits_end: int
    misses_below: int
    misses_end: int


def count_pairs(
    embeddings: NDArray[np.float32],
    subjects: NDArray[np.int64],
    counts: ComparisonCounts,
    *,
    block: int = _BLOCK,
) -> None:
    """Compare every face with every other once, a block of the matrix at a time.

    Args: embeddings float32 [N, D], unit length; subjects int64 [N]; counts: grows;
        block: comparisons scored at once.
    """
    faces = len(embeddings)
    side = max(1, block // max(1, faces))
    for start in range(0, faces, side):
        rows = slice(start, min(start + side, faces))
        scores = embeddings[rows] @ embeddings[start:].T
        later = np.arange(start, faces) > np.arange(rows.start, rows.stop)[:, None]
        mated = subjects[rows, None] == subjects[start:]
        counts.mated.add(scores[later & mated])
        later &= ~mated
        counts.non_mated.add(scores[later])


def _some(counts: ScoreCounts, what: str) -> int:
    if not counts.scores:
        raise NoTrials(f"{what} needs comparisons of its kind; none was counted")
    return counts.scores
