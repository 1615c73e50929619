"""Figures with intervals that both tasks share."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.metrics import Interval, bootstrap, clopper_pearson, judge, rule_of_three

Codes = NDArray[np.int64]
Weights = NDArray[np.float64]


def rate_figure(
    name: str,
    errors: NDArray[np.bool_],
    first: Codes,
    second: Codes | None,
    params: EvaluateParams,
    *,
    slice_name: str = "all",
    method: str = "",
    at_most: float | None = None,
) -> Figure:
    """A share of errors among trials. The interval is the hull of two: Clopper-Pearson, as if trials
    were independent, and the bootstrap over subjects, which knows that they are not; it is at
    least the rule of 3 where no error was seen.

    Args: errors bool [N]; first, second: subjects of each trial, codes [N]; at_most: requirement.
    """
    if len(errors) == 0:
        return nothing(name, slice_name, method, at_most)
    exact = clopper_pearson(int(errors.sum()), len(errors))
    drawn = bootstrap(
        lambda weights: weighted_share(errors, weights),
        first,
        second,
        replicates=params.replicates,
        seed=params.seed,
    )
    low, high = exact if drawn is None else (min(exact.low, drawn.low), max(exact.high, drawn.high))
    how = "Clopper-Pearson and bootstrap over subjects, the wider"
    return Figure(
        name=name,
        value=float(errors.mean()),
        low=low,
        high=high,
        n=len(errors),
        slice=slice_name,
        method=f"{method}; {how}" if method else how,
        verdict=None if at_most is None else judge(Interval(low, high), at_most),
    )


def curve_figure(
    name: str,
    figure: Callable[[Weights | None], float],
    positive: NDArray[np.bool_],
    first: Codes,
    second: Codes | None,
    params: EvaluateParams,
    *,
    slice_name: str = "all",
    method: str = "",
    at_most: float | None = None,
    error: bool = True,
) -> Figure:
    """A figure over all thresholds (EER, AUC, BPCER at an APCER), with a bootstrap over subjects.

    Where an error rate comes out as 0, the interval reaches at least to the rule of 3 of the rarer
    kind of trial.

    Args: figure: weights [N] or None -> value; positive bool [N]; error: lower is better.
    """
    rarer = int(min(positive.sum(), (~positive).sum()))
    if rarer == 0:
        return nothing(name, slice_name, method, at_most)
    value = figure(None)
    drawn = bootstrap(figure, first, second, replicates=params.replicates, seed=params.seed)
    if drawn is not None and error and value == 0:
        drawn = Interval(0.0, max(drawn.high, rule_of_three(rarer)))
    if drawn is not None and not error and value == 1:
        drawn = Interval(min(drawn.low, 1 - rule_of_three(rarer)), 1.0)
    how = "bootstrap over subjects" if drawn is not None else "too few subjects for an interval"
    return Figure(
        name=name,
        value=value,
        low=None if drawn is None else drawn.low,
        high=None if drawn is None else drawn.high,
        n=len(positive),
        slice=slice_name,
        method=f"{method}; {how}" if method else how,
        verdict=None if at_most is None else judge(drawn, at_most),
    )


def nothing(name: str, slice_name: str, method: str, at_most: float | None) -> Figure:
    """The figure of no trial."""
    return Figure(
        name=name,
        value=None,
        n=0,
        slice=slice_name,
        method=f"{method}; no trial" if method else "no trial",
        verdict=None if at_most is None else judge(None, at_most),
    )


def weighted_share(errors: NDArray[np.bool_], weights: Weights) -> float:
    """Share of the weight that lies on errors; NaN without weight."""
    whole = float(weights.sum())
    return float(weights[errors].sum()) / whole if whole else float("nan")


def codes_of(names: list[str]) -> Codes:
    """int64 [N]: names as numbers from 0."""
    _, codes = np.unique(np.array(names, dtype=object), return_inverse=True)
    return codes.reshape(-1).astype(np.int64)
