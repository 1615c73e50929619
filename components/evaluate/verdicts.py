"""The block that both reports begin with: where each requirement of the standards stands."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from vultus.contracts.evaluation import Figure
from vultus.metrics.standards import Finding, Standing
from vultus.reports import Block, Cell, Heading, Table, Text
from vultus.reports.standing import Observed, findings

_WORDS = {"reported": "reported", "missing": "missing"}


def verdict_blocks(
    figures: Sequence[Figure], scores: pa.Table, points: pa.Table, lineage: pa.Table
) -> Iterator[Block]:
    """PASS, FAIL or NOT ENOUGH DATA per requirement; reporting items: reported or missing."""
    yield Heading("Against the standards")
    yield Text(
        "Method follows the standards named; nothing here is certified. The upper end of the 95 % "
        "interval counts, not the value. Simulated attacks cannot meet a requirement on real ones.",
        quiet=True,
    )
    found = findings(Observed(figures, scores, points, lineage))
    unjudged = [one for one in found if one.standing is Standing.NOT_JUDGED]
    for standard in dict.fromkeys(one.standard for one in found):
        yield Heading(standard, level=2)
        yield _table([one for one in found if one.standard == standard and one not in unjudged])
        yield from _unjudged([one for one in unjudged if one.standard == standard])


def _unjudged(found: Sequence[Finding]) -> Iterator[Table]:
    """One row a reason: the reasons are few, the requirements many."""
    if not found:
        return
    by_reason: dict[str, list[str]] = {}
    for one in found:
        by_reason.setdefault(one.why, []).append(one.requirement)
    rows = tuple((why, "; ".join(asked)) for why, asked in by_reason.items())
    yield Table(("because", "not judged here"), rows)


def _table(found: Sequence[Finding]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        mark: Cell = one.standing.verdict or _WORDS[one.standing.value]
        said = " · ".join(part for part in (one.found, one.why) if part)
        rows.append((one.clause, one.requirement, mark, said, one.needed))
    columns: tuple[str, ...] = ("clause", "requirement", "stands", "found, and how it is read")
    if any(one.needed for one in found):  # of reporting items there is nothing to decide
        return Table((*columns, "enough to decide"), tuple(rows))
    return Table(columns, tuple(row[:-1] for row in rows))
