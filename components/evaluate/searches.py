"""1:N: every probe of a split searched in a gallery of its people, with and without its own reference.

The first picture of each subject that has several is its reference, the others are probes. Open set:
FNIR is counted where the mate is enrolled; for FPIR the same probe searches the gallery without it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.evaluate.comparisons import Comparisons
from components.evaluate.figures import rate_figure
from components.evaluate.params import EvaluateParams
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import SEARCHES, Figure
from vultus.metrics import Searches, cumulative_match, fpir_from_fmr, missed

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Identification:
    """Searches of one split. probes int64 [N]: places in its rows; subjects int64 [N], codes.

    others float32 [N, G]: scores of all references, the probe's own at -inf.
    """

    trials: Comparisons
    probes: Codes
    subjects: Codes
    gallery: int
    found: Searches
    others: Scores

    @classmethod
    def of(cls, trials: Comparisons) -> Self:
        """Search all probes; the embeddings are there already."""
        owners = trials.subjects
        known, first, pictures = np.unique(owners, return_index=True, return_counts=True)
        enrolled = first[pictures > 1]
        probes = np.flatnonzero(np.isin(owners, known[pictures > 1]))
        probes = probes[~np.isin(probes, enrolled)]
        scores = trials.embeddings[probes] @ trials.embeddings[enrolled].T
        found = Searches.of(scores, owners[enrolled], owners[probes])
        others = np.where(owners[probes, None] == owners[enrolled], -np.inf, scores)
        return cls(trials, probes, owners[probes], len(enrolled), found, others.astype(np.float32))

    @property
    def possible(self) -> bool:
        """Whether there is somebody else to be found: two people enrolled."""
        return self.gallery > 1

    def curve(self, most: int = 20) -> NDArray[np.float64]:
        """CMC from rank 1 on; the last rank of a gallery holds everybody and is left out."""
        return cumulative_match(self.found.mate_rank, min(most, self.gallery - 1))

    def drawn(self, rank: int, params: EvaluateParams) -> tuple[float, float]:
        """95 % interval of the CMC at a rank."""
        miss = rate_figure("miss", self.found.mate_rank > rank, self.subjects, None, params)
        assert miss.low is not None
        assert miss.high is not None
        return 1 - miss.high, 1 - miss.low

    def figures(self, thresholds: dict[str, float], params: EvaluateParams) -> list[Figure]:
        """Rank 1 without a threshold; FPIR and FNIR at each.

        Args: thresholds: how its FMR is written -> the threshold.
        """
        if not self.possible:
            return []
        gallery = f"gallery of {self.gallery} people"
        figures = [
            rate_figure("rank_1_miss", self.found.mate_rank > 1, self.subjects, None, params,
                        method=f"mate not first in a {gallery}; a tie counts against it")
        ]  # fmt: skip
        for name, threshold in thresholds.items():
            # Independent comparisons would give this FPIR; people who look alike are no coincidence.
            expected = fpir_from_fmr(float(name), self.gallery - 1)
            point = float(np.float32(threshold))
            how = f"{gallery}, threshold {threshold:.4f} from validation"
            accepted = self.found.other_score >= point
            figures.append(
                rate_figure(f"fpir_at_fmr_{name}", accepted, self.subjects, None, params,
                            method=f"{how}; 1 - (1 - FMR)^N = {expected:.3g}")
            )  # fmt: skip
            lost = missed(self.found, point)
            figures.append(
                rate_figure(f"fnir_at_fmr_{name}", lost, self.subjects, None, params, method=how)
            )
        return figures

    def table(self) -> pa.Table:
        """searches.parquet: what the figures are counted from."""
        rows = self.trials.rows
        columns = {
            "probe": [rows[place]["chip_sha256"] for place in self.probes],
            "subject": [rows[place]["subject"] for place in self.probes],
            "split": [self.trials.split.value] * len(self.probes),
            "gallery": [self.gallery] * len(self.probes),
            "mate_rank": self.found.mate_rank,
            "mate_score": self.found.mate_score,
            "other_score": self.found.other_score,
        }
        return pa.table(columns, schema=SEARCHES)
