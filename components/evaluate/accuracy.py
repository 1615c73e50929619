"""1:1 accuracy, and TAR beside FNMR: what readers of papers ask for, with intervals."""

import numpy as np

from components.evaluate.comparisons import Comparisons
from components.evaluate.figures import curve_figure, evenly, nothing
from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.metrics import Ranking


def accuracy(validation: Comparisons, test: Comparisons, params: EvaluateParams) -> Figure:
    """Share of right 1:1 decisions, mated and non-mated counting alike, as on balanced lists of pairs.

    At the threshold that was best on the validation split; interval from drawing persons.
    """
    curve = Ranking(validation.scores, validation.mated).det()
    threshold = float(curve.threshold[int(np.argmin(curve.fmr + curve.fnmr))])
    how = f"threshold {threshold:.4f}, best on validation; both kinds of trial count alike"
    mated, right = test.mated, (test.scores >= np.float32(threshold)) == test.mated
    if mated.all() or not mated.any():
        return nothing("accuracy", "all", how, None)
    first, second = test.subjects[test.first], test.subjects[test.second]
    value = float(right[mated].mean() + right[~mated].mean()) / 2
    return curve_figure(
        "accuracy",
        lambda _: value,
        mated,
        first,
        second,
        params,
        method=how,
        error=False,
        drawn=evenly(right.astype(np.float64), mated, first, second, params),
    )


def accepted_of(missed: Figure, name: str) -> Figure:
    """1 - FNMR with its interval, under the name TAR."""

    def rest(value: float | None) -> float | None:
        return None if value is None else 1 - value

    changes = {"name": name, "value": rest(missed.value), "verdict": None}
    return missed.model_copy(update={**changes, "low": rest(missed.high), "high": rest(missed.low)})
