"""The real faces beside the checkout as chips and pairs, and what a recogniser reaches on them.

Nothing of them is kept: chips live in memory, figures are numbers. The folder's lists are
`landmarks.csv` (file, five points) and `pairs.csv` (a, b, same, fold; folds share no person).
"""

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbBatch
from vultus.contracts.seams import Encoder
from vultus.faces.alignment import align
from vultus.faces.picture import decode_image
from vultus.metrics import Ranking, bootstrap, clopper_pearson

_BESIDE = Path(__file__).parents[2] / "shared" / "faces"

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class RealPairs:
    """chips uint8 [N, 112, 112, 3] and people [N]; first, second, same, fold: [P], indices of chips."""

    chips: RgbBatch
    people: Codes
    first: Codes
    second: Codes
    same: NDArray[np.bool_]
    fold: Codes

    @classmethod
    def load(cls) -> "RealPairs":
        """From VULTUS_REALDATA, or ../shared/faces. Raises: SystemExit, where there is none."""
        folder = Path(os.environ.get("VULTUS_REALDATA", _BESIDE)) / "recognition"
        if not (folder / "pairs.csv").is_file():
            raise SystemExit(f"no real faces at {folder}; set VULTUS_REALDATA")
        points = {row["file"]: row for row in _rows(folder / "landmarks.csv")}
        pairs = _rows(folder / "pairs.csv")
        names = sorted({row[side] for row in pairs for side in ("a", "b")})
        place = {name: number for number, name in enumerate(names)}
        chips = [
            align(decode_image((folder / name).read_bytes()), _landmarks(points[name]))
            for name in names
        ]
        _, people = np.unique([name.partition("/")[0] for name in names], return_inverse=True)
        return cls(
            np.stack(chips),
            people.astype(np.int64),
            np.array([place[row["a"]] for row in pairs], np.int64),
            np.array([place[row["b"]] for row in pairs], np.int64),
            np.array([row["same"] == "1" for row in pairs]),
            np.array([int(row["fold"]) for row in pairs], np.int64),
        )

    def scores(self, encoder: Encoder) -> NDArray[np.float32]:
        """Cosine of each pair, float32 [P]."""
        vectors = encoder.encode(self.chips)
        return np.einsum("pd,pd->p", vectors[self.first], vectors[self.second])

    def chips_of(self, folds: set[int]) -> RgbBatch:
        """Every chip of the people that these folds are about."""
        asked = np.isin(self.fold, list(folds))
        people = self.people[np.concatenate([self.first[asked], self.second[asked]])]
        return self.chips[np.isin(self.people, people)]

    def figures(self, scores: NDArray[np.float32]) -> dict[str, Any]:
        """Accuracy at the threshold of the other folds, EER, TAR at FMR 1e-3, with intervals."""
        right = np.empty(len(scores), bool)
        for fold in np.unique(self.fold):
            here = self.fold == fold
            right[here] = (scores[here] >= _best(scores[~here], self.same[~here])) == self.same[
                here
            ]
        ranking = Ranking(scores, self.same)
        people = self.people[self.first], self.people[self.second]
        around = bootstrap(lambda weights: ranking.equal_error_rate(weights), *people)
        strict = np.quantile(scores[~self.same], 0.999)
        wrong = int((~right).sum())
        errors = clopper_pearson(wrong, len(right))
        eer = {"value": round(ranking.equal_error_rate(), 4)}
        if around is not None:
            eer |= {"low": round(around.low, 4), "high": round(around.high, 4)}
        return {
            "pairs": len(scores),
            "accuracy": {
                "value": round(float(right.mean()), 4),
                "low": round(1 - errors.high, 4),
                "high": round(1 - errors.low, 4),
            },
            "eer": eer,
            "tar_at_fmr_1e-3": round(float((scores[self.same] > strict).mean()), 3),
        }


def _best(scores: NDArray[np.float32], same: NDArray[np.bool_]) -> float:
    """The threshold with the most right decisions."""
    order = np.argsort(scores)
    mated = same[order]
    # Threshold at place k: the k lowest are refused; right are its strangers and the mates above.
    refused = np.concatenate([[0], np.cumsum(np.where(mated, -1, 1))])
    return float(scores[order][min(int(refused.argmax()), len(scores) - 1)])


def _landmarks(row: dict[str, str]) -> NDArray[np.float32]:
    return np.array([[float(row[f"p{n}x"]), float(row[f"p{n}y"])] for n in range(5)], np.float32)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
