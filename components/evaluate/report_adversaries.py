"""The part of both reports that says how far gradient attacks get."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from components.evaluate.params import EvaluateParams
from components.evaluate.wording import with_interval
from vultus.contracts.evaluation import Figure
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.charts import sheet

if TYPE_CHECKING:
    from components.evaluate.adversaries import Adversarial


def adversarial_figures(found: "Adversarial | None") -> list[Figure]:
    """For figures.json."""
    if found is None:
        return []
    detector = [] if found.detector is None else [found.detector]
    return [*(attempt.success for attempt in found.attempts), *detector]


def adversarial_blocks(found: "Adversarial | None", params: EvaluateParams) -> Iterator[Block]:
    """Success by attack and strength; a face under each attack; what a detector sees."""
    yield Heading("Adversarial pictures (simulated)")
    if found is None:
        yield Text(
            "Not tried in this run, or nothing was there to turn: set evaluate.adversarial_faces, "
            "say to 16, to have them.",
            quiet=True,
        )
        return
    yield Text(
        f"At most {params.adversarial_faces} trials of each goal, decided rightly while untouched. A "
        "pixel moves by so many grey levels at most; pictures are rounded to 8 bits before they are "
        "judged. They go into the network directly: no printer and no camera lies between."
        + (f" The surrogate is {found.surrogate}." if found.surrogate else ""),
        quiet=True,
    )
    yield _table(found)
    if found.strip and params.worst:
        yield Picture(
            sheet([[image] for image in found.strip], columns=len(found.strip)),
            "jpeg",
            "One face untouched and under each attack",
            "From the left: untouched, then the strongest of each attack in the order of the table, "
            "all made to pass for somebody else.",
        )
    detector = found.detector
    if detector is not None and detector.value is not None:
        between = "–" if detector.low is None else f"{detector.low:.3f} – {detector.high:.3f}"
        yield Text(
            "Feature squeezing (the network's answer to a picture and to its 3 × 3 median) tells "
            f"PGD pictures of 8 grey levels from untouched ones with AUC {detector.value:.3f} "
            f"({between}). An attacker who knows of it can evade it."
        )


def _table(found: "Adversarial") -> Table:
    levels = sorted({a.levels for a in found.attempts if a.levels is not None})
    rows: list[tuple[Cell, ...]] = []
    for key in dict.fromkeys((a.goal, a.attack) for a in found.attempts):
        those = {a.levels: a.success for a in found.attempts if (a.goal, a.attack) == key}
        free = those.get(None)
        cells = [with_interval(those.get(level)) for level in levels]
        rows.append((*key, *cells, with_interval(free), str(next(iter(those.values())).n)))
    return Table(
        ("goal", "attack", *(f"{level:g} levels" for level in levels), "no limit", "n"),
        tuple(rows),
        numeric=tuple(range(2, len(levels) + 4)),
        caption="Share of decisions turned, with the 95 % interval. No limit: any colour inside the "
        "sticker, nothing outside.",
    )
