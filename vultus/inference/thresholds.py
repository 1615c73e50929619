"""From a requested FMR to a threshold, as measured on the validation split."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.evaluation import THRESHOLDS
from vultus.contracts.models import ModelVersion
from vultus.errors import BadArtifact, BadParameter

FILE = "thresholds.parquet"


@dataclass(frozen=True)
class Thresholds:
    """Thresholds, rising, with the FMR of each.

    score float32 [N]; llr float32 [N]; fmr, fmr_high float64 [N].
    """

    score: NDArray[np.float32]
    llr: NDArray[np.float32]
    fmr: NDArray[np.float64]
    fmr_high: NDArray[np.float64]

    @classmethod
    def read(cls, version: ModelVersion) -> Self:
        """The table of a version. Raises: BadArtifact, if it is empty or lacks a column."""
        table = version.table(FILE)
        missing = sorted({*THRESHOLDS.names} - {*table.column_names})
        if missing or table.num_rows == 0:
            raise BadArtifact(
                f"{version.path / FILE} sets no threshold (rows {table.num_rows}, missing columns "
                f"{missing}); evaluate and register the model again"
            )
        columns = {name: table[name].to_numpy() for name in THRESHOLDS.names}
        order = np.argsort(columns["score"], kind="stable")
        return cls(**{name: values[order] for name, values in columns.items()})

    def at(self, fmr: float) -> float:
        """The smallest threshold whose measured FMR is at most `fmr`.

        Beyond the resolution of the data: the strictest one that was measured; `supported` tells.
        Raises: BadParameter, if `fmr` is not between 0 and 1.
        """
        _check(fmr)
        good = np.flatnonzero(self.fmr <= fmr)
        return float(self.score[good[0] if len(good) else -1])

    def supported(self, fmr: float) -> bool:
        """Whether the data show, at 95 %, that some threshold keeps this FMR.

        Raises: BadParameter, if `fmr` is not between 0 and 1.
        """
        _check(fmr)
        return bool((self.fmr_high <= fmr).any())

    def llr_of(self, score: float) -> float:
        """Calibrated log-likelihood ratio of a score, natural log; flat beyond the ends."""
        return float(np.interp(score, self.score, self.llr))


def _check(fmr: float) -> None:
    if not 0 < fmr < 1:
        raise BadParameter(f"fmr = {fmr}: give a share between 0 and 1, such as 0.001")
