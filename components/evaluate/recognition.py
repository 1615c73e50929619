"""Recognition: comparisons, thresholds from validation, figures from test."""

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from components.evaluate.comparisons import Comparisons
from components.evaluate.everybody import EveryNegative
from components.evaluate.figures import curve_figure, evenly, familiar_figures, nothing
from components.evaluate.galleries import gallery_figures
from components.evaluate.groups import differentials
from components.evaluate.levels import Level, exponent, levels_of, rates_at, threshold_at
from components.evaluate.operating import Kind, Negatives, operating_points
from components.evaluate.params import EvaluateParams
from components.evaluate.searches import Identification
from components.evaluate.system import capture_figures
from vultus.contracts.evaluation import Figure
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.words import Split
from vultus.errors import NoTrials
from vultus.metrics import Calibration, Replicates, Resampled, calibrate, cllr

BAND = np.geomspace(5e-4, 0.6, 60)
"""FMRs at which the band of the DET curve is drawn."""


@dataclass(frozen=True)
class RecognitionResult:
    """Everything that the files and the report are made of.

    validation, test: with the comparisons that are listed; whole: all of the test split, which figures
    are of; galleries: 1:N by gallery size; drawn: replicates of the test split, FNMR at each FMR of
    BAND, None where nothing can be drawn.
    """

    validation: Comparisons
    test: Comparisons
    whole: Comparisons
    calibration: Calibration
    points: pa.Table
    levels: list[Level]
    figures: list[Figure]
    slices: list[Figure]
    searches: Identification
    galleries: list[Figure]
    drawn: Replicates | None = field(repr=False)

    def threshold(self, fmr: float) -> float:
        """Smallest measured threshold whose FMR on validation is <= fmr."""
        return threshold_at(self.points, fmr)


def evaluate_recognition(
    checkpoint: Checkpoint, faces: FaceCrops, params: EvaluateParams, store: Store
) -> RecognitionResult:
    """Score both splits. Raises: NoTrials, if validation cannot set a threshold."""
    from vultus.networks.load import encoder_from

    result = judge_encoder(encoder_from(checkpoint), faces.crops, params, store)
    lost = capture_figures(faces, result.figures, exponent(params.fmr))
    return replace(result, slices=[*result.slices, *lost])


def judge_encoder(
    encoder: Encoder, crops: pa.Table, params: EvaluateParams, store: Store
) -> RecognitionResult:
    """The same for any embedder, without what capture lost.

    Raises: NoTrials, if validation cannot set a threshold.
    """
    validation = Comparisons.of(crops, Split.VALIDATION, params, encoder, store)
    mated = validation.mated
    if mated.all() or not mated.any():
        raise NoTrials(
            f"the validation split gives {int(mated.sum())} mated and {int((~mated).sum())} "
            "non-mated comparisons; both are needed to set a threshold: add subjects with two "
            "pictures each, or raise ingest's share of the validation split"
        )
    test = Comparisons.of(crops, Split.TEST, params, encoder, store)
    whole = test.whole(params.seed)
    calibration = calibrate(validation.scores[mated], validation.scores[~mated])
    points = operating_points([_negatives(validation)], calibration, params)
    levels = levels_of(points, validation.others, params)
    drawn = _drawn(whole, params)
    searches = Identification.of(test)
    thresholds = {exponent(fmr): threshold_at(points, fmr) for fmr in params.fmrs}
    figures = [
        *_curves(whole, params, "all", drawn),
        *_llr_cost(whole, calibration, params),
        *(f for level in levels for f in rates_at(level, whole, params, requirements=True)),
        *searches.figures(thresholds, params),
    ]
    slices = _slices(whole, points, levels, params)
    sizes = gallery_figures(searches, thresholds, params)
    return RecognitionResult(
        validation,
        test,
        whole,
        calibration,
        points,
        levels,
        figures,
        slices,
        searches,
        sizes,
        drawn,
    )


def _negatives(trials: Comparisons) -> Kind:
    """All comparisons of two people, listed or counted."""
    if trials.every is not None:
        return EveryNegative(trials.every)
    others = trials.part(~trials.mated)
    return Negatives(others.scores, trials.subjects[others.first], trials.subjects[others.second])


def _slices(
    test: Comparisons, points: pa.Table, levels: list[Level], params: EvaluateParams
) -> list[Figure]:
    """Every group at the shared threshold, how far they lie apart, and the familiar names."""
    threshold = threshold_at(points, params.fmr)
    asked = next(level for level in levels if level.fmr == params.fmr)
    figures = [
        figure
        for name in test.slice_names()
        for part in [test.in_slice(name)]
        for figure in (
            *_curves(part, params, name, _drawn(part, params)),
            *rates_at(asked, part, params, name, requirements=False),
        )
    ]
    first, second = test.subjects[test.first], test.subjects[test.second]
    accepted = test.scores >= np.float32(threshold)
    figures += differentials(test, threshold, params)
    return figures + familiar_figures(accepted, test.mated, first, second, params)


def _drawn(trials: Comparisons, params: EvaluateParams) -> Replicates | None:
    """All replicates of a set of trials at once; None where one kind, or a second person, lacks."""
    mated = trials.mated
    if mated.all() or not mated.any():
        return None
    first, second = trials.subjects[trials.first], trials.subjects[trials.second]
    return Resampled(trials.scores, mated, first, second).run(
        replicates=params.replicates, seed=params.seed, fmrs=BAND.tolist()
    )


def _curves(
    trials: Comparisons, params: EvaluateParams, slice_name: str, drawn: Replicates | None
) -> list[Figure]:
    """EER of any slice; of the whole split its AUC too, and a requirement for the EER.

    Values count all comparisons; replicates are of those that `Comparisons.whole` holds.
    """
    mated, counts = trials.mated, trials.counts()
    first, second = trials.subjects[trials.first], trials.subjects[trials.second]
    all_ = counts.mated.scores + counts.non_mated.scores
    of_draw = f"interval from a draw of {len(mated):,}" if all_ > len(mated) else ""
    whole = slice_name == "all"
    figures = [
        curve_figure(
            "eer",
            lambda _: counts.equal_error_rate(),
            mated,
            first,
            second,
            params,
            slice_name=slice_name,
            method=of_draw,
            at_most=params.require_eer if whole else None,
            drawn=None if drawn is None else drawn.eer,
            n=all_,
        )
    ]
    if whole:
        figures.append(
            curve_figure("auc", lambda _: counts.auc(), mated, first, second, params,
                         method=of_draw, error=False, n=all_,
                         drawn=None if drawn is None else drawn.auc)
        )  # fmt: skip
    return figures


def _llr_cost(test: Comparisons, calibration: Calibration, params: EvaluateParams) -> list[Figure]:
    """Cllr of the calibration of validation, tried on test."""
    mated, llr = test.mated, calibration.llr(test.scores)
    if mated.all() or not mated.any():
        return [nothing("cllr", "all", "", None)]
    first, second = test.subjects[test.first], test.subjects[test.second]
    costs = np.logaddexp(0, np.where(mated, -llr, llr)) / np.log(2)
    cost = cllr(llr[mated], llr[~mated])
    drawn = evenly(costs, mated, first, second, params)
    return [curve_figure("cllr", lambda _: cost, mated, first, second, params, drawn=drawn)]
