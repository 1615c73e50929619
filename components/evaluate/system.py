"""What the whole system loses before any comparison: pictures of which no template was made."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow.compute as pc

from vultus.contracts.evaluation import Figure
from vultus.contracts.faces import FaceCrops
from vultus.metrics import clopper_pearson, generalised_fmr, generalised_fnmr, rule_of_three

_NOT_ACQUIRED = ("bad_image", "no_face", "several_faces", "small_face")
"""Reasons of the crop step; a near duplicate was acquired, and left out for another reason."""


def capture_figures(faces: FaceCrops, figures: Sequence[Figure], fmr: str) -> list[Figure]:
    """Failure to enrol, failure to acquire, and the rates at one FMR with the latter (ISO/IEC 19795-1).

    Detector and quality are trained on nobody, so both failures count all splits; the quarantine names
    no split anyway.

    Args: figures: those of the test split; fmr: as their names write it.
    """
    refused = faces.quarantine["reason"]
    failures = sum(int(pc.sum(pc.equal(refused, why)).as_py() or 0) for why in _NOT_ACQUIRED)
    pictures = faces.crops.num_rows + failures
    if not pictures:
        return []
    low, high = clopper_pearson(failures, pictures)
    fta = Figure(
        name="fta",
        value=failures / pictures,
        low=low,
        high=high,
        n=pictures,
        method="pictures of all splits and presentations without one usable face; Clopper-Pearson",
    )
    rates = {figure.name: figure for figure in figures}
    asked = (
        (f"gfnmr_at_fmr_{fmr}", rates[f"fnmr_at_fmr_{fmr}"], generalised_fnmr),
        (f"gfmr_at_fmr_{fmr}", rates[f"realised_fmr_{fmr}"], generalised_fmr),
    )
    made = [_generalised(name, rate, fta, combine) for name, rate, combine in asked]
    return [*_enrolment(faces), fta, *(figure for figure in made if figure is not None)]


def _enrolment(faces: FaceCrops) -> Iterator[Figure]:
    """FTE; nothing where the crops do not say of how many people they are."""
    people = faces.manifest.facts.get("people")
    if not isinstance(people, dict) or not people["offered"]:
        return
    offered = int(people["offered"])
    failures = offered - int(people["enrolled"])
    low, high = clopper_pearson(failures, offered)
    yield Figure(
        name="fte",
        value=failures / offered,
        low=low,
        high=high if failures else max(high, rule_of_three(offered)),
        n=offered,
        method="people of all splits of whom no untouched bona fide picture has one usable face of the "
        "quality that enrolment asks; Clopper-Pearson",
    )


def _generalised(
    name: str, rate: Figure, fta: Figure, combine: Callable[..., float]
) -> Figure | None:
    """FNMR rises with FTA, FMR falls with it: the ends are those of the worst and the best case."""
    if rate.value is None or rate.low is None or rate.high is None:
        return None
    ends = [combine(end, fta=lost) for end in (rate.low, rate.high) for lost in (fta.low, fta.high)]
    return Figure(
        name=name,
        value=combine(rate.value, fta=fta.value),
        low=min(ends),
        high=max(ends),
        n=rate.n,
        method="with failures to acquire; both intervals at their worse ends",
    )
