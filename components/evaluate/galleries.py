"""1:N by the size of the gallery, measured: what smaller galleries of the run's own people would give.

Every probe searches every gallery of N people that can be drawn from those of the split; the mean over
all of them has a closed form, so that no seed decides. FNIR: the mate and N - 1 others, and the mate is
below the threshold or not first. FPIR: N others, without the mate.
Source: ISO/IEC 19795-1:2021; Grother, Ngan, Hanaoka, NISTIR 8271 (FPIR and FNIR by N).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from components.evaluate.figures import nothing, units
from components.evaluate.params import EvaluateParams
from components.evaluate.searches import Identification
from vultus.contracts.evaluation import Figure
from vultus.metrics import (
    bootstrap_share,
    chance_among,
    clopper_pearson,
    percentiles,
    rule_of_three,
)

FAR_SIZES = (100, 1_000)
"""Galleries that a reader asks for; without figures where the run has fewer people."""
_LEAST = 2


def sizes_of(people: int) -> list[int]:
    """A quarter, half and all others of so many people enrolled, and the next of FAR_SIZES."""
    own = {size for size in (people // 4, people // 2, people - 1) if size >= _LEAST}
    return sorted(own | {size for size in FAR_SIZES if size >= people})


def gallery_figures(
    searches: Identification, thresholds: Mapping[str, float], params: EvaluateParams
) -> list[Figure]:
    """FPIR and FNIR at rank 1 for each size and threshold; slice `gallery=N`.

    Args: thresholds: how its FMR is written -> the threshold.
    """
    return [
        figure
        for size in (sizes_of(searches.gallery) if searches.possible else [])
        for name, threshold in thresholds.items()
        for figure in _at(searches, size, name, np.float32(threshold), params)
    ]


def _at(
    searches: Identification, size: int, fmr: str, threshold: np.float32, params: EvaluateParams
) -> list[Figure]:
    names = f"fpir_at_fmr_{fmr}", f"fnir_rank_1_at_fmr_{fmr}"
    part, others = f"gallery={size}", searches.gallery - 1
    if size > others:
        why = f"{size + 1} people with two pictures are needed, {searches.gallery} are there"
        return [nothing(name, part, why, None) for name in names]
    found = searches.found
    accepted = chance_among((searches.others >= threshold).sum(axis=1), others, size)
    beaten = chance_among(found.mate_rank - 1, others, size - 1)
    lost = np.where(found.mate_score >= threshold, beaten, 1.0)
    how = f"mean over all galleries of {size} of {searches.gallery} people"
    return [
        _figure(name, part, errors, searches.subjects, how, params)
        for name, errors in zip(names, (accepted, lost), strict=True)
    ]


def _figure(
    name: str, part: str, errors: NDArray[np.float64], subjects: NDArray[np.int64], how: str,
    params: EvaluateParams,
) -> Figure:  # fmt: skip
    """As `rate_figure`, of chances instead of errors; Clopper-Pearson of the whole numbers around."""
    count, some = len(errors), round(float(errors.sum()), 9)  # whole numbers stay whole
    low = clopper_pearson(int(np.floor(some)), count).low
    high = clopper_pearson(int(np.ceil(some)), count).high
    drawn = percentiles(
        bootstrap_share(errors, subjects, replicates=params.replicates, seed=params.seed)
    )
    if drawn is not None and units(subjects, None) > 1:
        low, high = min(low, drawn.low), max(high, drawn.high)
    said = "Clopper-Pearson and bootstrap over subjects, the wider"
    if not some:
        high, said = max(high, rule_of_three(units(subjects, None))), "rule of 3 over subjects"
    return Figure(name=name, value=some / count, low=low, high=high, n=count, slice=part,
                  method=f"{how}; {said}")  # fmt: skip
