"""Counts at one threshold, and the figures that are asked for by other names than the standard's."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Decisions:
    """Accepted and refused trials of both kinds. A figure without a trial behind it is None."""

    true_accepts: int
    false_rejects: int
    false_accepts: int
    true_rejects: int

    @classmethod
    def of(cls, accepted: NDArray[np.bool_], positive: NDArray[np.bool_]) -> Self:
        """Count. Args: bool [N]: the decision; mated or bona fide."""
        return cls(
            true_accepts=int((accepted & positive).sum()),
            false_rejects=int((~accepted & positive).sum()),
            false_accepts=int((accepted & ~positive).sum()),
            true_rejects=int((~accepted & ~positive).sum()),
        )

    @property
    def trials(self) -> int:
        """All of them."""
        return self.true_accepts + self.false_rejects + self.false_accepts + self.true_rejects

    @property
    def accuracy(self) -> float | None:
        """Share of right decisions; depends on the share of each kind among the trials."""
        return _share(self.true_accepts + self.true_rejects, self.trials)

    @property
    def precision(self) -> float | None:
        """Share of accepted trials that are positive; depends on the share of each kind."""
        return _share(self.true_accepts, self.true_accepts + self.false_accepts)

    @property
    def recall(self) -> float | None:
        """Share of positive trials that are accepted: 1 - FNMR, 1 - BPCER."""
        return _share(self.true_accepts, self.true_accepts + self.false_rejects)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        return _share(
            2 * self.true_accepts, 2 * self.true_accepts + self.false_accepts + self.false_rejects
        )

    @property
    def far(self) -> float | None:
        """Share of negative trials accepted: FMR in a 1:1 comparison; APCER over all species."""
        return _share(self.false_accepts, self.false_accepts + self.true_rejects)

    @property
    def frr(self) -> float | None:
        """Share of positive trials refused: FNMR in a 1:1 comparison; BPCER."""
        return _share(self.false_rejects, self.true_accepts + self.false_rejects)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
