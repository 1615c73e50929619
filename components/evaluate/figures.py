"""Figures with intervals that both tasks share."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.metrics import (
    Decisions,
    Interval,
    bootstrap,
    bootstrap_share,
    clopper_pearson,
    judge,
    percentiles,
    rule_of_three,
)

Codes = NDArray[np.int64]
Weights = NDArray[np.float64]
_NO_ERROR = "no error seen: rule of 3 over subjects or subject pairs"


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
    were independent, and the bootstrap over subjects, which knows that they are not. Where no error
    was seen the bootstrap knows nothing: then it is the rule of 3 over subjects or subject pairs.

    Args: errors bool [N]; first, second: subjects of each trial, codes [N]; at_most: requirement.
    """
    if len(errors) == 0:
        return nothing(name, slice_name, method, at_most)
    exact = clopper_pearson(int(errors.sum()), len(errors))
    drawn = None
    if units(first, None) > 1 or (second is not None and units(second, None) > 1):
        drawn = percentiles(
            bootstrap_share(errors, first, second, replicates=params.replicates, seed=params.seed)
        )
    low, high = exact if drawn is None else (min(exact.low, drawn.low), max(exact.high, drawn.high))
    how = "Clopper-Pearson and bootstrap over subjects, the wider"
    if not errors.any():
        high, how = max(high, rule_of_three(units(first, second))), _NO_ERROR
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
    drawn: Weights | None = None,
    n: int | None = None,
) -> Figure:
    """A figure over all thresholds (EER, AUC, BPCER at an APCER), with a bootstrap over subjects.

    Where no error at all was seen, the interval reaches to the rule of 3 over the subjects or subject
    pairs of the kind of trial that has fewer.

    Args: figure: weights [N] or None -> value; positive bool [N]; error: lower is better;
        drawn: the figure's replicates [R], where they are known already; n: trials behind the value,
        where the replicates are of a draw of them.
    """
    if positive.all() or not positive.any():
        return nothing(name, slice_name, method, at_most)
    value = figure(None)
    found = (
        bootstrap(figure, first, second, replicates=params.replicates, seed=params.seed)
        if drawn is None
        else percentiles(drawn)
    )
    if units(first, None) == 1 and (second is None or units(second, None) == 1):
        found = None  # one person, drawn again and again, differs from himself in nothing
    how = "bootstrap over subjects" if found is not None else "too few subjects for an interval"
    if found is not None and value == (0 if error else 1):
        kinds = (positive, ~positive)
        fewest = min(units(first[k], None if second is None else second[k]) for k in kinds)
        bound, how = rule_of_three(fewest), _NO_ERROR
        found = (
            Interval(0.0, max(found.high, bound))
            if error
            else Interval(min(found.low, 1 - bound), 1.0)
        )
    return Figure(
        name=name,
        value=value,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        n=len(positive) if n is None else n,
        slice=slice_name,
        method=f"{method}; {how}" if method else how,
        verdict=None if at_most is None else judge(found, at_most),
    )


def evenly(
    values: NDArray[np.float64],
    positive: NDArray[np.bool_],
    first: Codes,
    second: Codes,
    params: EvaluateParams,
) -> Weights:
    """Mean of a value over trials, both kinds counting alike, in every replicate over subjects; [R].

    Args: values float64 [N]; the others as of `curve_figure`, both kinds among them.
    """
    subjects = int(max(first.max(), second.max())) + 1
    halves = [
        bootstrap_share(
            values[kind],
            first[kind],
            second[kind],
            replicates=params.replicates,
            seed=params.seed,
            subjects=subjects,
        )
        for kind in (positive, ~positive)
    ]
    return np.asarray(sum(halves) / 2, np.float64)


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


def units(first: Codes, second: Codes | None) -> int:
    """Subjects, or unordered pairs of subjects, behind the trials: as many may be independent."""
    if second is None:
        return len(np.unique(first))
    low, high = np.minimum(first, second), np.maximum(first, second)
    return len(np.unique(np.stack([low, high]), axis=1).T) if len(first) else 0


def familiar_figures(
    accepted: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    first: Codes,
    second: Codes | None,
    params: EvaluateParams,
) -> list[Figure]:
    """Accuracy, precision, recall, F1, FAR and FRR of the decisions, each with n and interval.

    Args: accepted, positive bool [N]: the decision; mated or bona fide.
    """
    right = accepted == positive
    asked = {
        "accuracy": (~right, np.ones(len(accepted), bool)),
        "precision": (~positive, accepted),
        "recall": (~accepted, positive),
        "far": (accepted, ~positive),
        "frr": (~accepted, positive),
    }
    figures = [
        rate_figure(
            name, wrong[among], first[among], None if second is None else second[among], params
        )
        for name, (wrong, among) in asked.items()
    ]
    figures[:3] = [_turned(figure) for figure in figures[:3]]
    lows = [figure.low or 0.0 for figure in figures[1:3]]
    figures.insert(3, _f1(accepted, positive, first, second, params, min(lows)))
    return figures


def _f1(
    accepted: NDArray[np.bool_],
    positive: NDArray[np.bool_],
    first: Codes,
    second: Codes | None,
    params: EvaluateParams,
    least: float,
) -> Figure:
    """F1 is a share too: of the accepted and the positive trials, counted together, the right ones.

    Args: least: the lower of precision's and recall's bounds, for when nothing went wrong.
    """
    twice = np.concatenate([np.flatnonzero(accepted), np.flatnonzero(positive)])
    value, drawn = Decisions.of(accepted, positive).f1, None
    if len(twice):
        other = None if second is None else second[twice]
        right = (accepted & positive)[twice]
        drawn = percentiles(
            bootstrap_share(
                right, first[twice], other, replicates=params.replicates, seed=params.seed
            )
        )
    if drawn is not None and value == 1:
        drawn = Interval(least, 1.0)
    return Figure(
        name="f1",
        value=value,
        low=None if drawn is None else drawn.low,
        high=None if drawn is None else drawn.high,
        n=len(np.unique(twice)),
        method="bootstrap over subjects",
    )


def _turned(figure: Figure) -> Figure:
    """The share of right answers instead of wrong ones."""
    if figure.value is None or figure.low is None or figure.high is None:
        return figure
    ends = {"value": 1 - figure.value, "low": 1 - figure.high, "high": 1 - figure.low}
    return figure.model_copy(update=ends)


def codes_of(names: list[str]) -> Codes:
    """int64 [N]: names as numbers from 0."""
    _, codes = np.unique(np.array(names, dtype=object), return_inverse=True)
    return codes.reshape(-1).astype(np.int64)
