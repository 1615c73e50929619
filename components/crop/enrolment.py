"""Of how many people a reference can be made: what failures to enrol are counted from."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from vultus.contracts.words import Presentation
from vultus.faces.quality import LOWEST_QUALITY

RAW_COLUMNS = ("subject", "presentation", "simulated")
CUT_COLUMNS = (*RAW_COLUMNS, "quality_unified")


def enrolment(raw: Iterable[pa.Table], cut: Iterable[pa.Table]) -> dict[str, int]:
    """People with an untouched bona fide picture, and those of whom one can be enrolled.

    As a server enrols: one usable face whose unified quality is not below LOWEST_QUALITY.

    Args:
        raw: RAW_COLUMNS of all pictures.
        cut: CUT_COLUMNS of all faces, near duplicates among them: they were acquired.
    Returns: `offered`, `enrolled`.
    """
    offered: set[str] = set()
    for table in raw:
        offered.update(_people(table))
    enrolled: set[str] = set()
    for table in cut:
        good = pc.greater_equal(table["quality_unified"], LOWEST_QUALITY)
        enrolled.update(_people(table.filter(good)))
    return {"offered": len(offered), "enrolled": len(enrolled)}


def _people(table: pa.Table) -> list[str]:
    bona_fide = pc.equal(table["presentation"], Presentation.BONA_FIDE.value)
    mine = table.filter(pc.and_(bona_fide, pc.invert(table["simulated"])))
    found: list[str] = pc.unique(mine["subject"]).to_pylist()
    return found
