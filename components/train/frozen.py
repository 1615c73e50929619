"""PAD from a frozen trunk: describe every crop once, then fit the one layer on top."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from torch import nn

from components.train.checkpoint import Trained
from components.train.describing import Describer
from components.train.liveness import fit_liveness
from components.train.pad_errors import PadErrors
from components.train.panel import copy_member, fixed_member, transform_of
from components.train.params import TrainParams
from components.train.pictures import Row, fair_draw, rows_of
from components.train.presentations import BONA_FIDE, auc_by_species, both_classes, cut, groups_of
from components.train.tracking import Log
from vultus.contracts.arrays import Scores
from vultus.contracts.seams import Store
from vultus.contracts.transform import Architecture, LivenessTransform
from vultus.contracts.words import Split
from vultus.errors import TrainingFailed, WeightsUnavailable
from vultus.networks.engine import HistoryRow
from vultus.networks.frozen_pad import SCALES, SIDE, FrozenPad, Head, fit_head
from vultus.networks.lite0 import read_lite0
from vultus.networks.load import LITE0_FROZEN
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices
from vultus.networks.schedule import FitParams, reproducible
from vultus.weights import locate

logger = logging.getLogger(__name__)
FALLBACK = {"pad_network": "compact", "pad_pretrained": False}
"""What is trained where the trunk is not to be had: it needs no weights."""
_COLUMNS = ("context_sha256", "context_box", "species", "simulated", "simulation")


def fit_frozen(
    crops: pa.Table,
    params: TrainParams,
    settings: FitParams,
    *,
    store: Store,
    weights: Path,
    resume: ResumeFolder,
    log: Log,
) -> Trained:
    """The head on EfficientNet-Lite0, and beside it the fixed panel member that could be had.

    Without the trunk's weights a network is trained from scratch instead, and the panel says so.

    Raises: WeightsUnavailable, if the Param names a member that cannot be had; TrainingFailed,
        where the train split lacks a class.
    """
    try:
        trunk = read_lite0(locate("lite0", weights))
    except WeightsUnavailable as error:
        logger.warning("EfficientNet-Lite0 is not to be had", extra={"why": str(error)})
        instead = params.model_copy(update=FALLBACK)
        trained = fit_liveness(
            crops, instead, settings, store=store, weights=weights, resume=resume, log=log
        )
        return _said(trained, "trained from scratch, because EfficientNet-Lite0 could not be had")
    # What the trunk looks at is its own matter; `pad_side` and `pad_scales` are of the others.
    params = params.model_copy(update={"pad_side": SIDE, "pad_scales": SCALES})
    fixed = fixed_member(params, weights)
    train = fair_draw(rows_of(crops, Split.TRAIN, _COLUMNS), "species", params.limit, params.seed)
    validation = rows_of(crops, Split.VALIDATION, _COLUMNS)
    groups = both_classes(groups_of(train))
    with reproducible(settings):
        describer = Describer(trunk, params, store, resume, settings.save_every_s)
        known = describer.described("train", train, params.views)
        asked = describer.described("validation", validation, 1)
        history, head = _head(known, groups, shares_of(train, groups, params), params)
    found = auc_by_species(head(asked), groups_of(validation))
    step = history[-1][1]
    history += [(0, step, Split.VALIDATION.value, name, value) for name, value in found.items()]
    log.epoch(0, {"train_loss": history[-1][4], **{f"validation_{k}": v for k, v in found.items()}})
    network = FrozenPad(trunk)
    network.wear(head)
    log.look(_Described(head(asked), validation, params, store))(0, network)
    trained = Trained(
        network=network.eval(),
        architecture=Architecture(name=LITE0_FROZEN),
        history=history,
        examples=len(train),
        transform=lambda sha256: transform_of(params, fixed, sha256),
        place_members=lambda folder: copy_member(fixed, folder) if fixed else None,
    )
    return _said(trained, _learned_from(train, groups))


class _Described(PadErrors):
    """The validation split, whose logits are known; its crops are cut again where they are shown."""

    def __init__(
        self, logits: NDArray[np.floating], rows: list[Row], params: TrainParams, store: Store
    ) -> None:
        super().__init__(groups_of(rows), len(params.pad_scales))
        self._logits, self._rows = np.asarray(logits, np.float32), rows
        self._params, self._store = params, store

    def logits(self, network: nn.Module) -> Scores:
        """float32 [M], whatever the network: its trunk has described them already."""
        return self._logits

    def crop(self, index: int) -> NDArray[np.uint8]:
        """uint8 [3, S, S] of one validation presentation."""
        one: NDArray[np.uint8] = cut([self._rows[index]], self._params, self._store, 1)[0, 0]
        return one


def _head(
    known: NDArray[np.float32], groups: Indices, shares: NDArray[np.float64], params: TrainParams
) -> tuple[list[HistoryRow], Head]:
    """known: [N * views, D], all views of one crop side by side. Raises: TrainingFailed."""
    views = len(known) // len(groups)
    targets = np.repeat(groups == BONA_FIDE, views)
    history: list[HistoryRow] = []
    steps = fit_head(known, targets, np.repeat(shares, views), params.head_pull)
    for step, (loss, found) in enumerate(steps):
        if not np.isfinite(loss):
            raise TrainingFailed(
                f"the loss of the head is no number at step {step}; raise train.head_pull, or look "
                "for crops unlike all others"
            )
        history.append((0, step + 1, Split.TRAIN.value, "loss", loss))
        head = found
    return history, head


def shares_of(rows: list[Row], groups: Indices, params: TrainParams) -> NDArray[np.float64]:
    """How much each crop counts: bona fide `bona_fide_share` together, of that `untouched_share` those
    that are as they came, the rest what went through the attacks' camera; every attack the same.
    float64 [N].
    """
    bona_fide = groups == BONA_FIDE
    untouched = bona_fide & np.array([_untouched(row) for row in rows])
    recaptured = bona_fide & ~untouched
    both = untouched.any() and recaptured.any()
    raw = params.untouched_share if both else float(untouched.any())
    shares = np.zeros(len(rows))
    for members, share in (
        (untouched, params.bona_fide_share * raw),
        (recaptured, params.bona_fide_share * (1 - raw)),
        (~bona_fide, 1 - params.bona_fide_share),
    ):
        shares[members] = share / max(1, members.sum())
    return shares


def _untouched(row: Row) -> bool:
    """Whether it never went through the simulated camera; cutting it down does not count."""
    return "camera" not in json.loads(row["simulation"] or "{}")


def _learned_from(rows: list[Row], groups: Indices) -> str:
    simulated = np.array([row["simulated"] for row in rows], bool)
    attacks = groups != BONA_FIDE
    return (
        "EfficientNet-Lite0, frozen: ImageNet-1k; its head: the train split of this run, "
        f"{int((~attacks).sum())} bona fide presentations, {int((attacks & simulated).sum())} "
        f"simulated and {int((attacks & ~simulated).sum())} photographed attack presentations"
    )


def _said(trained: Trained, training_data: str) -> Trained:
    """The same, its own member naming what it learned from."""

    def transform(sha256: str) -> LivenessTransform:
        made = trained.transform(sha256)
        assert isinstance(made, LivenessTransform)
        own = made.members[0].model_copy(update={"training_data": training_data})
        return made.model_copy(update={"members": (own, *made.members[1:])})

    return replace(trained, transform=transform)
