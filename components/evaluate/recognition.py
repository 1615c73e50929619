"""Recognition: comparisons, thresholds from validation, figures from test."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.evaluate.comparisons import Comparisons
from components.evaluate.figures import curve_figure, rate_figure
from components.evaluate.operating import Negatives, operating_points
from components.evaluate.params import EvaluateParams
from vultus.contracts.evaluation import Figure
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.words import Split
from vultus.errors import NoTrials
from vultus.metrics import Calibration, Ranking, calibrate


@dataclass(frozen=True)
class RecognitionResult:
    """Everything that the files and the report are made of."""

    validation: Comparisons
    test: Comparisons
    calibration: Calibration
    points: pa.Table
    figures: list[Figure]
    slices: list[Figure]

    def threshold(self, fmr: float) -> float:
        """Smallest measured threshold whose FMR on validation is <= fmr."""
        return threshold_at(self.points, fmr)


def evaluate_recognition(
    checkpoint: Checkpoint, crops: pa.Table, params: EvaluateParams, store: Store
) -> RecognitionResult:
    """Score both splits. Raises: NoTrials, if validation cannot set a threshold."""
    from vultus.networks.load import encoder_from

    return judge_encoder(encoder_from(checkpoint), crops, params, store)


def judge_encoder(
    encoder: Encoder, crops: pa.Table, params: EvaluateParams, store: Store
) -> RecognitionResult:
    """The same for any embedder. Raises: NoTrials, if validation cannot set a threshold."""
    validation = Comparisons.of(crops, Split.VALIDATION, params, encoder, store)
    mated = validation.mated
    if mated.all() or not mated.any():
        raise NoTrials(
            f"the validation split gives {int(mated.sum())} mated and {int((~mated).sum())} "
            "non-mated comparisons; both are needed to set a threshold: add subjects with two "
            "pictures each, or raise ingest's share of the validation split"
        )
    test = Comparisons.of(crops, Split.TEST, params, encoder, store)
    calibration = calibrate(validation.scores[mated], validation.scores[~mated])
    others = validation.part(~mated)
    subjects = validation.subjects
    negatives = Negatives(others.scores, subjects[others.first], subjects[others.second])
    points = operating_points([negatives], calibration, params)
    figures = _figures(test, points, params, "all", requirements=True)
    slices = [
        figure
        for name in test.slice_names()
        for figure in _figures(test.in_slice(name), points, params, name, requirements=False)
    ]
    return RecognitionResult(validation, test, calibration, points, figures, slices)


def threshold_at(points: pa.Table, fmr: float) -> float:
    """Smallest threshold of THRESHOLDS rows whose `fmr` is <= fmr; the strictest if none is."""
    scores, rates = points["score"].to_numpy(), points["fmr"].to_numpy()
    allowed = scores[rates <= fmr]
    return float(allowed.min() if len(allowed) else scores.max())


def exponent(fmr: float) -> str:
    """0.001 -> "1e-3", for names of figures."""
    digits, _, power = f"{fmr:e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def _figures(
    trials: Comparisons,
    points: pa.Table,
    params: EvaluateParams,
    slice_name: str,
    *,
    requirements: bool,
) -> list[Figure]:
    """Figures of one slice of the test split; requirements are put to the whole split alone."""
    mated = trials.mated
    first, second = trials.subjects[trials.first], trials.subjects[trials.second]
    ranking = Ranking(trials.scores, mated)
    figures = [
        curve_figure(
            "eer",
            ranking.equal_error_rate,
            mated,
            first,
            second,
            params,
            slice_name=slice_name,
            at_most=params.require_eer if requirements else None,
        )
    ]
    if requirements:
        figures.append(curve_figure("auc", ranking.auc, mated, first, second, params, error=False))
    for fmr in params.fmrs if requirements else (params.fmr,):
        figures.extend(_rates_at(fmr, trials, points, params, slice_name, requirements))
    return figures


def _rates_at(
    fmr: float,
    trials: Comparisons,
    points: pa.Table,
    params: EvaluateParams,
    slice_name: str,
    requirements: bool,
) -> Iterator[Figure]:
    """FNMR, and the FMR that test realises, at the threshold that validation gave for `fmr`."""
    mated = trials.mated
    first, second = trials.subjects[trials.first], trials.subjects[trials.second]
    threshold = threshold_at(points, fmr)
    accepted = trials.scores >= np.float32(threshold)
    how = f"threshold {threshold:.4f} from validation"
    yield rate_figure(
        f"fnmr_at_fmr_{exponent(fmr)}",
        ~accepted[mated],
        first[mated],
        None,
        params,
        slice_name=slice_name,
        method=how,
        at_most=params.require_fnmr if requirements else None,
    )
    yield rate_figure(
        f"realised_fmr_{exponent(fmr)}",
        accepted[~mated],
        first[~mated],
        second[~mated],
        params,
        slice_name=slice_name,
        method=how,
        at_most=fmr if requirements else None,
    )
