"""Groups of people at one shared threshold: how far their error rates lie apart.

Source: ISO/IEC 19795-10:2024; the aggregate is GARBE (see vultus.metrics.differentials).
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from components.evaluate.comparisons import SKIN, Comparisons
from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.metrics import bootstrap_share, garbe, percentiles, worst_to_best

Rates = NDArray[np.float64]
DIFFERENTIALS = ("fnmr_worst_to_best", "fmr_worst_to_best", "garbe")


def attribute_of(slice_name: str) -> str:
    """ "sex=female" -> "sex"."""
    return slice_name.partition("=")[0]


def is_estimate(slice_name: str) -> bool:
    """Whether the group was read from the picture, not declared by anybody."""
    return attribute_of(slice_name) == SKIN


def judged_groups(test: Comparisons, enough: int) -> dict[str, list[str]]:
    """Attribute -> its slices with enough trials of both kinds, where there are two or more."""
    groups: dict[str, list[str]] = {}
    for name in test.slice_names():
        mated = test.in_slice(name).mated
        if min(int(mated.sum()), int((~mated).sum())) >= enough:
            groups.setdefault(attribute_of(name), []).append(name)
    return {name: slices for name, slices in groups.items() if len(slices) > 1}


def differentials(test: Comparisons, threshold: float, params: EvaluateParams) -> list[Figure]:
    """Ratio of the worst to the best group for FNMR and FMR, and GARBE, of each attribute."""
    figures = []
    for attribute, names in judged_groups(test, params.min_slice).items():
        parts = [test.in_slice(name) for name in names]
        fnmrs = [_rates(part, threshold, params, mated=True) for part in parts]
        fmrs = [_rates(part, threshold, params, mated=False) for part in parts]
        trials = sum(len(part.scores) for part in parts)

        values = np.array(
            [
                (worst_to_best(missed), worst_to_best(matched), garbe(matched, missed))
                for missed, matched in zip(np.transpose(fnmrs).tolist(),
                                           np.transpose(fmrs).tolist(), strict=True)
            ]
        )  # fmt: skip
        for place, name in enumerate(DIFFERENTIALS):
            figures.append(_figure(name, attribute, values[:, place], trials, len(names)))
    return figures


def _rates(part: Comparisons, threshold: float, params: EvaluateParams, *, mated: bool) -> Rates:
    """The rate itself, then one of every replicate; float64 [1 + R]."""
    kind = part.mated if mated else ~part.mated
    accepted = part.scores[kind] >= np.float32(threshold)
    errors = ~accepted if mated else accepted
    first, second = part.subjects[part.first[kind]], part.subjects[part.second[kind]]
    drawn = bootstrap_share(
        errors,
        first,
        None if mated else second,
        replicates=params.replicates,
        seed=params.seed,
        subjects=int(part.subjects.max()) + 1,
    )
    return np.append(errors.mean(), drawn)


def _figure(name: str, attribute: str, values: Rates, trials: int, groups: int) -> Figure:
    """A ratio that has no end has no value; its lower bound still says something.

    Where most replicates have a group without an error, their percentiles lie above the value itself:
    an interval holds its value.
    """
    drawn = np.where(np.isinf(values[1:]), np.finfo(float).max, values[1:])
    interval = percentiles(drawn)
    said = f"{groups} groups at one threshold; bootstrap over subjects"
    if not np.isfinite(values[0]):
        why = "no group has an error" if np.isnan(values[0]) else "a group has no error"
        said = f"{said}; {why}, so there is no ratio"
    high = None if interval is None or interval.high > 1e300 else interval.high
    low = None if interval is None or interval.low > 1e300 else interval.low
    if np.isfinite(values[0]):
        low = None if low is None else min(low, float(values[0]))
        high = None if high is None else max(high, float(values[0]))
    return Figure(
        name=name,
        value=float(values[0]) if np.isfinite(values[0]) else None,
        low=low,
        high=high,
        n=trials,
        slice=attribute,
        method=said,
    )


def spread(figures: Iterable[Figure]) -> list[Figure]:
    """Those of them that are differentials."""
    return [figure for figure in figures if figure.name in DIFFERENTIALS]
