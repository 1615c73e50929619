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
    missed = trials.scores[mated] < np.float32(level.threshold)
    how = f"threshold {level.threshold:.4f} from validation"
    required = requirements and level.fmr in params.fmrs
    return [
        rate_figure(
            f"fnmr_at_fmr_{exponent(level.fmr)}",
            missed,
            trials.subjects[trials.first[mated]],
            None,
            params,
            slice_name=slice_name,
            method=how,
            at_most=params.require_fnmr if required else None,
        ),
        _realised(
            trials, level.threshold, params, name=f"realised_fmr_{exponent(level.fmr)}",
            slice_name=slice_name, method=how, at_most=level.fmr if required else None,
        ),
    ]  # fmt: skip


def _realised(
    trials: Comparisons, threshold: float, params: EvaluateParams, *, name: str, slice_name: str,
    method: str, at_most: float | None,
) -> Figure:  # fmt: skip
    """FMR of all comparisons of two people, whether they are counted or listed."""
    if trials.every is not None:
        return realised_figure(trials.every, threshold, params, name=name, slice_name=slice_name,
                               method=method, at_most=at_most)  # fmt: skip
    part = trials.part(~trials.mated)
    accepted = part.scores >= np.float32(threshold)
    first, second = part.subjects[part.first], part.subjects[part.second]
    return rate_figure(name, accepted, first, second, params, slice_name=slice_name,
                       method=method, at_most=at_most)  # fmt: skip
