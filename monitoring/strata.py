"""Which numbers are compared with which: one sample per column and (operation, decision) stratum.

Within a stratum, because the share of mated comparisons, and with it the overall distribution of
scores, is another one at every door and in every laboratory. Quality does not depend on that share:
where no decision of an operation can be compared, as when a failed lamp makes every face look like an
attack, the pictures of all its decisions are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.params import MonitorParams
from monitoring.reference import Reference
from monitoring.window import Window
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL, WATCHED_QUALITY

ANY = "all"
"""Stands for every decision of an operation."""
SCORES = ("score", "margin", "pad_score")
QUALITIES = tuple(f"quality_{name}" for name in WATCHED_QUALITY)
COLUMNS = (*SCORES, *QUALITIES, "latency_total_ms")
_MODEL_OF = {
    "score": ("model_recognition", RECOGNITION_MODEL),
    "margin": ("model_recognition", RECOGNITION_MODEL),
    "pad_score": ("model_pad", PAD_MODEL),
}


@dataclass(frozen=True)
class Stratum:
    """Requests of one operation with one decision."""

    operation: str
    decision: str

    @property
    def slice(self) -> str:
        """As a DriftTest names it."""
        return f"operation={self.operation},decision={self.decision}"

    def __str__(self) -> str:
        return f"{self.operation}/{self.decision}"


@dataclass(frozen=True)
class Sample:
    """One column in one stratum: reference float64 [N], current float64 [M] with its times [M]."""

    column: str
    stratum: Stratum
    reference: NDArray[np.float64]
    current: NDArray[np.float64]
    times: NDArray[np.datetime64]

    @property
    def name(self) -> str:
        """Unique in a pass; readable in Evidently's page."""
        return f"{self.column} in {self.stratum}"


@dataclass(frozen=True)
class Thin:
    """A stratum of the window with too few rows, here or in the reference."""

    stratum: Stratum
    current: int
    reference: int


def strata_of(window: Window, reference: Reference) -> dict[Stratum, tuple[int, int]]:
    """Strata seen in the window -> rows now, rows in the reference."""
    counts = [_counts(table) for table in (window.table, reference.table)]
    return {stratum: (n, counts[1].get(stratum, 0)) for stratum, n in sorted_items(counts[0])}


def samples_of(
    window: Window, reference: Reference, params: MonitorParams
) -> tuple[list[Sample], list[Thin]]:
    """Every column that has enough values on both sides, and the strata that have not."""
    samples: list[Sample] = []
    thin: list[Thin] = []
    for stratum, (now, before) in strata_of(window, reference).items():
        if min(now, before) < params.min_rows:
            thin.append(Thin(stratum, now, before))
        else:
            samples += _compared(stratum, COLUMNS, window, reference, params)
    compared = {sample.stratum.operation for sample in samples}
    for operation in sorted({one.stratum.operation for one in thin} - compared):
        samples += _compared(Stratum(operation, ANY), QUALITIES, window, reference, params)
    return samples, thin


def _compared(
    stratum: Stratum,
    columns: tuple[str, ...],
    window: Window,
    reference: Reference,
    params: MonitorParams,
) -> Iterator[Sample]:
    """The columns of a stratum that have enough values on both sides."""
    ours, theirs = (_rows(table, stratum) for table in (window.table, reference.table))
    for column in columns:
        current, times = _values(_answered_by(ours, column, reference), column)
        past, _ = _values(theirs, column)
        if min(current.size, past.size) >= params.min_rows:
            chosen, kept = (_thinned(np.arange(v.size), params) for v in (past, current))
            yield Sample(column, stratum, past[chosen], current[kept], times[kept])


def sorted_items(counts: dict[Stratum, int]) -> list[tuple[Stratum, int]]:
    """By name, so that two passes tell the same in the same order."""
    return sorted(counts.items(), key=lambda item: str(item[0]))


def _counts(table: pa.Table) -> dict[Stratum, int]:
    grouped = table.group_by(["operation", "decision"]).aggregate([("ts", "count")]).to_pylist()
    return {Stratum(row["operation"], row["decision"]): row["ts_count"] for row in grouped}


def _rows(table: pa.Table, stratum: Stratum) -> pa.Table:
    wanted = pc.equal(table["operation"], stratum.operation)
    if stratum.decision != ANY:
        wanted = pc.and_(wanted, pc.equal(table["decision"], stratum.decision))
    return table.filter(wanted)


def _answered_by(table: pa.Table, column: str, reference: Reference) -> pa.Table:
    """Scores of another model version are another scale: only the reference's model is compared."""
    if column not in _MODEL_OF:
        return table
    stated, name = _MODEL_OF[column]
    if name not in reference.models:
        return table
    return table.filter(pc.fill_null(pc.equal(table[stated], reference.models[name]), True))


def _values(table: pa.Table, column: str) -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
    """Finite values with their times, in the order of the table."""
    values = table[column].to_numpy().astype(np.float64)
    times = table["ts"].to_numpy().astype("datetime64[ms]")
    keep = np.isfinite(values)
    return values[keep], times[keep]


def _thinned(places: NDArray[np.int64], params: MonitorParams) -> NDArray[np.int64]:
    """Evenly over the window, so that its course stays visible."""
    if places.size <= params.max_rows:
        return places
    return places[np.linspace(0, places.size - 1, params.max_rows).astype(np.int64)]
