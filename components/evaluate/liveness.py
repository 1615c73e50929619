"""PAD: presentations, member thresholds from validation, figures from test."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from components.evaluate.figures import codes_of
from components.evaluate.operating import Negatives, operating_points
from components.evaluate.panel_figures import Judge
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import PANEL, Presentations
from components.evaluate.realism import realism_figures
from components.evaluate.unseen import left_out_of, unseen_figures
from vultus.contracts.evaluation import Figure
from vultus.contracts.models import Checkpoint
from vultus.contracts.seams import PadScorer, Store
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Split
from vultus.dataset.leftout import LeftOut
from vultus.errors import NoTrials
from vultus.metrics import Calibration, calibrate, threshold_at_bpcer


@dataclass(frozen=True)
class LivenessResult:
    """Everything that the files and the report are made of."""

    transform: LivenessTransform
    validation: Presentations
    test: Presentations
    thresholds: dict[str, float]
    chosen: dict[str, str]
    """Members whose threshold was chosen here -> on which trials, in words."""
    calibration: Calibration
    points: pa.Table
    figures: list[Figure]
    slices: list[Figure]
    left_out: LeftOut
    """What the training did not see, and no threshold here either."""


def evaluate_liveness(
    checkpoint: Checkpoint,
    crops: pa.Table,
    params: EvaluateParams,
    store: Store,
    threads: int,
) -> LivenessResult:
    """Score both splits. Raises: NoTrials, if validation cannot set a threshold."""
    transform = checkpoint.transform
    assert isinstance(transform, LivenessTransform)
    scorers = _scorers(checkpoint, transform, threads)
    return judge_panel(scorers, transform, crops, params, store, left_out_of(checkpoint))


def judge_panel(
    scorers: Mapping[str, PadScorer],
    transform: LivenessTransform,
    crops: pa.Table,
    params: EvaluateParams,
    store: Store,
    left_out: LeftOut,
) -> LivenessResult:
    """The same for any panel. Raises: NoTrials, if validation cannot set a threshold."""
    crops = left_out.without(crops)
    validation = Presentations.of(crops, Split.VALIDATION, params, transform, scorers, store)
    _require_both(validation)
    test = Presentations.of(crops, Split.TEST, params, transform, scorers, store)
    thresholds, chosen = _thresholds(transform, validation, params)
    panel, bona_fide = validation.scores[PANEL], validation.bona_fide
    known = np.isfinite(panel)
    calibration = calibrate(panel[bona_fide & known], panel[~bona_fide & known])
    subjects = codes_of(validation.subjects)
    kinds = [
        Negatives(panel[own], subjects[own], None)
        for species in sorted(set(validation.species[~bona_fide].tolist()))
        for own in [(validation.species == species) & known]
        if own.any()
    ]
    points = operating_points(kinds, calibration, params)
    judge = Judge(test, transform, thresholds, params)
    return LivenessResult(
        transform,
        validation,
        test,
        thresholds,
        chosen,
        calibration,
        points,
        judge.headline(),
        [
            *judge.familiar(),
            *judge.members(),
            *judge.slices(),
            *unseen_figures(test, judge, left_out),
            *realism_figures((validation, test), transform, params),
        ],
        left_out,
    )


def _scorers(
    checkpoint: Checkpoint, transform: LivenessTransform, threads: int
) -> dict[str, PadScorer]:
    """Our own member with the torch weights, fixed ones with the ONNX files they came as."""
    from vultus.inference.panel import OnnxPadMember
    from vultus.networks.load import OWN_MEMBER, pad_member_from

    return {
        member.name: pad_member_from(checkpoint)
        if member.name == OWN_MEMBER
        else OnnxPadMember(checkpoint.path / member.file, member, threads)
        for member in transform.members
    }


def _require_both(validation: Presentations) -> None:
    known = np.isfinite(validation.scores[PANEL])
    live = validation.bona_fide & known
    shown = ~validation.bona_fide & known
    if not live.any() or not shown.any():
        raise NoTrials(
            f"the validation split gives the panel {int(live.sum())} bona fide and "
            f"{int(shown.sum())} attack presentations; both are needed to set a threshold: add "
            "subjects, or set ingest's share of simulated attacks above 0"
        )


def _thresholds(
    transform: LivenessTransform, validation: Presentations, params: EvaluateParams
) -> tuple[dict[str, float], dict[str, str]]:
    """A member that came with a threshold keeps it: it was published with real attacks, and ours are
    simulated. One without gets the largest threshold whose BPCER on validation is <= max_bpcer: on
    the pictures of its own room, where there are enough, else on all.
    """
    thresholds: dict[str, float] = {}
    chosen: dict[str, str] = {}
    for place, member in enumerate(transform.members):
        if member.threshold is not None:
            thresholds[member.name] = member.threshold
            continue
        own = validation.bona_fide & (validation.speaker == place)
        enough = int(own.sum()) >= params.min_room_trials
        used = own if enough else validation.bona_fide
        where = "in its own room" if enough else "in any room, its own has too few"
        chosen[member.name] = f"{int(used.sum())} bona fide presentations {where}"
        scores = validation.scores[member.name][used]
        thresholds[member.name] = threshold_at_bpcer(scores, params.max_bpcer)
    return thresholds, chosen
