"""Rates over all non-mated comparisons, from the signed counts, where not all of them are listed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.models import ModelVersion
from vultus.contracts.words import Split
from vultus.metrics import Ranking

FILE = "counts.parquet"
_SAME = 1e-5
"""A cosine taken of one pair and of a whole matrix differ in the last bits of float32."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """Scores of two people, rising, float64 [N], and how often each occurred, int64 [N]."""

    scores: Values
    counts: NDArray[np.int64]

    def shares(self, points: NDArray[np.float32]) -> Values:
        """Share of all comparisons at or above each point."""
        below = np.append(0, np.cumsum(self.counts))
        places = np.searchsorted(self.scores, points.astype(np.float64), "left")
        return np.asarray(1 - below[places] / below[-1])

    def ranked(self, mated: Values) -> tuple[Ranking, Values]:
        """All trials, mated ones as listed, and how often each score occurred."""
        scores = np.concatenate([mated, self.scores])
        positive = np.arange(len(scores)) < len(mated)
        return Ranking(scores, positive), np.append(np.ones(len(mated)), self.counts)

    def strangers(self, listed: Values) -> Iterator[str]:
        """A listed comparison is one of those that were counted."""
        after = np.minimum(np.searchsorted(self.scores, listed), len(self.scores) - 1)
        near = np.minimum(
            np.abs(self.scores[after] - listed),
            np.abs(self.scores[np.maximum(after - 1, 0)] - listed),
        )
        unknown = int((near > _SAME).sum())
        if unknown or len(listed) > self.counts.sum():
            yield (
                f"{unknown or len(listed)} comparisons of scores.parquet are not among those that "
                f"{FILE} counts: the counts are of another model"
            )


def counted(version: ModelVersion, split: Split) -> Counted | None:
    """The counts of a split; None where scores.parquet lists all of its comparisons."""
    if FILE not in version.manifest.sha256:
        return None
    import pyarrow.compute as pc

    table = version.table(FILE)
    own = table.filter(pc.equal(table["split"], split.value))
    if not len(own):
        return None
    scores = own["score"].to_numpy().astype(np.float64)
    order = np.argsort(scores)
    return Counted(scores[order], own["count"].to_numpy()[order])
