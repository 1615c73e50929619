"""Operating points by requested FMR: which of them the validation split can support, and how far."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.evaluate.comparisons import Comparisons
from components.evaluate.everybody import realised_figure
from components.evaluate.figures import rate_figure
from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.metrics import trials_needed


@dataclass(frozen=True)
class Level:
    """One requested FMR. threshold, llr: None where validation has too few comparisons for it.

    shown: whether the 95 % bound of validation, people drawn as wholes, keeps the request.
    """

    fmr: float
    threshold: float | None
    llr: float | None
    shown: bool


def levels_of(points: pa.Table, non_mated: int, params: EvaluateParams) -> list[Level]:
    """Every FMR of `fmrs` and `levels`, highest first.

    The rule: below 3 / n, n non-mated comparisons of validation, no FMR could be shown even if all
    were independent and none was accepted; such a level gets no threshold unless it is one of `fmrs`,
    which a site asked for: then it is the strictest that was measured.
    """
    scores, bounds = points["score"].to_numpy(), points["fmr_high"].to_numpy()
    ratios = points["llr"].to_numpy()
    levels = []
    for fmr in sorted({*params.fmrs, *params.levels, params.fmr}, reverse=True):
        asked = fmr in (*params.fmrs, params.fmr)
        if not asked and non_mated < trials_needed(fmr):
            levels.append(Level(fmr, None, None, False))
            continue
        threshold = threshold_at(points, fmr)
        place = int(np.flatnonzero(scores == np.float32(threshold))[0])
        shown = bool((bounds <= fmr).any()) and bool(bounds[place] <= fmr)
        levels.append(Level(fmr, threshold, float(ratios[place]), shown))
    return levels


def threshold_at(points: pa.Table, fmr: float) -> float:
    """Smallest threshold of THRESHOLDS rows whose `fmr` is <= fmr; the strictest if none is."""
    scores, rates = points["score"].to_numpy(), points["fmr"].to_numpy()
    allowed = scores[rates <= fmr]
    return float(allowed.min() if len(allowed) else scores.max())


def exponent(fmr: float) -> str:
    """0.001 -> "1e-3", for names of figures."""
    digits, _, power = f"{fmr:e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def rates_at(
    level: Level,
    trials: Comparisons,
    params: EvaluateParams,
    slice_name: str = "all",
    *,
    requirements: bool,
) -> list[Figure]:
    """FNMR, and the FMR that test realises, at the threshold that validation gave for the level."""
    if level.threshold is None:
        return []
    mated = trials.mated
    first, second = trials.subjects[trials.first], trials.subjects[trials.second]
    accepted = trials.scores >= np.float32(level.threshold)
    how = f"threshold {level.threshold:.4f} from validation"
    required = requirements and level.fmr in params.fmrs
    name, limit = f"realised_fmr_{exponent(level.fmr)}", level.fmr if required else None
    if trials.every is None:
        realised = rate_figure(
            name,
            accepted[~mated],
            first[~mated],
            second[~mated],
            params,
            slice_name=slice_name,
            method=how,
            at_most=limit,
        )
    else:
        realised = realised_figure(
            trials.every, level.threshold, params, name=name, method=how, at_most=limit
        )
    return [
        rate_figure(
            f"fnmr_at_fmr_{exponent(level.fmr)}",
            ~accepted[mated],
            first[mated],
            None,
            params,
            slice_name=slice_name,
            method=how,
            at_most=params.require_fnmr if required else None,
        ),
        realised,
    ]
