"""PAD: fit our own network on the crops of the train split, balanced by PAI species."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from components.train.augmentation import relit
from components.train.checkpoint import Trained
from components.train.panel import copy_member, fixed_member, tensor_params, transform_of
from components.train.params import TrainParams
from components.train.pictures import fair_draw, rows_of
from components.train.presentations import (
    BONA_FIDE,
    auc_by_species,
    both_classes,
    cut,
    groups_of,
)
from components.train.tracking import Log
from vultus.contracts.seams import Store
from vultus.contracts.transform import Architecture
from vultus.contracts.words import Split
from vultus.networks.engine import fit
from vultus.networks.fourier_pad import FourierPad
from vultus.networks.load import FOURIER_PAD
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices
from vultus.networks.schedule import FitParams, reproducible

_COLUMNS = ("context_sha256", "context_box", "species")
_BATCH = 64


def fit_liveness(
    crops: pa.Table,
    params: TrainParams,
    settings: FitParams,
    *,
    store: Store,
    weights: Path,
    resume: ResumeFolder,
    log: Log,
) -> Trained:
    """Our own network, and beside it the fixed panel member that could be had.

    Raises: WeightsUnavailable, if the Param names a member that cannot be had; TrainingFailed,
        where the train split lacks a class.
    """
    fixed = fixed_member(params, weights)
    lesson = _lesson(crops, params, store)
    with reproducible(settings):
        network = FourierPad(params.pad_side, len(params.pad_scales))
    network.to(memory_format=torch.channels_last)
    history = fit(
        network, lesson, settings, resume=resume, on_epoch=log.epoch, look=log.look(lesson)
    )
    options = {"side": params.pad_side, "scales": len(params.pad_scales)}
    return Trained(
        network=network,
        architecture=Architecture(name=FOURIER_PAD, options={**options}),
        history=history,
        examples=len(lesson.groups),
        transform=lambda sha256: transform_of(params, fixed, sha256),
        place_members=lambda folder: copy_member(fixed, folder) if fixed else None,
    )


class CropLesson:
    """Crops of the train and validation split with their species; group 0 is bona fide."""

    monitored = "auc"

    def __init__(
        self,
        train: tuple[NDArray[np.uint8], Indices],
        validation: tuple[NDArray[np.uint8], Indices],
        params: TrainParams,
    ) -> None:
        self._crops, self.groups = train
        self._validation, self._species = validation
        self._params = params
        self._tensor = tensor_params(params)
        attacks = [int(group) for group in np.unique(self.groups) if group]
        rest = (1 - params.bona_fide_share) / max(1, len(attacks))
        self.shares = {0: params.bona_fide_share, **dict.fromkeys(attacks, rest)}

    def batch(self, indices: Indices, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Crops of one jitter each, mildly relit; targets 1 = bona fide."""
        views = rng.integers(0, self._crops.shape[1], len(indices))
        crops = torch.from_numpy(self._scaled(self._crops[indices, views]))
        crops = relit(crops, self._params.pad_augment, rng)
        targets = torch.from_numpy((self.groups[indices] == BONA_FIDE).astype(np.float32))
        return crops.contiguous(memory_format=torch.channels_last), targets

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Cross-entropy, and the auxiliary head's error in the spectrum."""
        assert isinstance(network, FourierPad)
        crops, targets = batch
        logits, guess, truth = network.training_outputs(crops)
        smooth = self._params.label_smoothing
        soft = targets * (1 - 2 * smooth) + smooth
        decision = functional.binary_cross_entropy_with_logits(logits, soft)
        return decision + self._params.fourier_weight * functional.mse_loss(guess, truth)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """AUC over all attacks and per species; empty without both classes."""
        logits = np.concatenate(
            [
                network(torch.from_numpy(self._scaled(part))).numpy()
                for part in np.array_split(self._validation, -(-len(self._validation) // _BATCH))
            ]
            if len(self._validation)
            else [np.empty(0, np.float32)]
        )
        return auc_by_species(logits, self._species)

    def _scaled(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return (crops.astype(np.float32) - np.float32(self._tensor.mean)) * np.float32(
            self._tensor.scale
        )


def _lesson(crops: pa.Table, params: TrainParams, store: Store) -> CropLesson:
    """Cut both splits. Raises: TrainingFailed, where the train split lacks a class."""
    train = rows_of(crops, Split.TRAIN, _COLUMNS)
    train = fair_draw(train, "species", params.limit, params.seed)
    validation = rows_of(crops, Split.VALIDATION, _COLUMNS)
    groups = both_classes(groups_of(train))
    jittered = cut(train, params, store, params.views)
    plain = cut(validation, params, store, 1)[:, 0]
    return CropLesson((jittered, groups), (plain, groups_of(validation)), params)
