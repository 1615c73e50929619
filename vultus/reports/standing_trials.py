"""Test comparisons of one evaluation at the threshold a standard asks for, with their subjects."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.evaluation import short_digest
from vultus.contracts.words import Split
from vultus.metrics import Interval, bootstrap, clopper_pearson, rule_of_three

_REPLICATES = 200
Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Trials:
    """Test comparisons at one threshold; subjects as codes, from the lineage."""

    accepted: Flags
    mated: Flags
    first: Codes
    second: Codes
    slices: list[list[str]]

    @classmethod
    def of(cls, scores: pa.Table, points: pa.Table, lineage: pa.Table, fmr: float) -> Self:
        """At the threshold that validation gives for that FMR; the strictest if none does."""
        rows = scores.filter(pc.equal(scores["split"], Split.TEST.value))
        values, rates = points["score"].to_numpy(), points["fmr"].to_numpy()
        allowed = values[rates <= fmr]
        threshold = np.float32(allowed.min() if len(allowed) else values.max())
        owner = dict(zip(*(lineage[n].to_pylist() for n in ("chip", "subject")), strict=True))
        names = [
            [owner.get(short_digest(one), one) for one in rows[side].to_pylist()] for side in "ab"
        ]
        _, codes = np.unique(
            np.array([str(n) for side in names for n in side]), return_inverse=True
        )
        return cls(
            rows["score"].to_numpy() >= threshold,
            np.asarray(rows["mated"].to_numpy(zero_copy_only=False), bool),
            codes[: len(rows)].astype(np.int64),
            codes[len(rows) :].astype(np.int64),
            [one or [] for one in rows["slices"].to_pylist()],
        )

    def errors(self, name: str) -> tuple[Flags, Codes, Codes | None]:
        """FMR: accepted non-mated; FNMR: refused mated; with the subjects of each trial."""
        part = self.mated if name == "FNMR" else ~self.mated
        wrong = ~self.accepted if name == "FNMR" else self.accepted
        return wrong[part], self.first[part], None if name == "FNMR" else self.second[part]

    def groups(self) -> list[str]:
        """Values of declared attributes, and estimated skin-tone bands."""
        return sorted({name for names in self.slices for name in names})

    def within(self, name: str) -> "Trials":
        """Trials of one group."""
        keep = np.array([name in names for names in self.slices], bool)
        kept = [names for names, inside in zip(self.slices, keep, strict=True) if inside]
        return Trials(
            self.accepted[keep], self.mated[keep], self.first[keep], self.second[keep], kept
        )


def interval_of(errors: Flags, first: Codes, second: Codes | None) -> Interval | None:
    """Hull of Clopper-Pearson and the bootstrap over subjects; no error: rule of 3 over subjects."""
    if not len(errors):
        return None
    exact = clopper_pearson(int(errors.sum()), len(errors))
    if not errors.any():
        both = (
            first
            if second is None
            else np.stack([np.minimum(first, second), np.maximum(first, second)])
        )
        units = len(np.unique(both, axis=None if second is None else 1).T)
        return Interval(0.0, max(exact.high, rule_of_three(units)))
    drawn = bootstrap(lambda w: _share(errors, w), first, second, replicates=_REPLICATES)
    if drawn is None:
        return exact
    return Interval(min(exact.low, drawn.low), max(exact.high, drawn.high))


def _share(errors: Flags, weights: NDArray[np.float64]) -> float:
    whole = float(weights.sum())
    return float(weights[errors].sum()) / whole if whole else float("nan")
