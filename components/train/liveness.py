"""PAD: fit our own network on the crops of the train split, balanced by PAI species."""

from pathlib import Path

import pyarrow as pa
import torch

from components.train.checkpoint import Trained
from components.train.lesson import CropLesson
from components.train.panel import copy_member, fixed_member, transform_of
from components.train.params import TrainParams
from components.train.pictures import fair_draw, rows_of
from components.train.presentations import SPECIES, both_classes, cut, groups_of
from components.train.tracking import Log
from vultus.contracts.seams import Store
from vultus.contracts.transform import Architecture
from vultus.contracts.words import Split
from vultus.errors import BadParameter
from vultus.networks.engine import fit
from vultus.networks.pads.auxiliary import PadTraining
from vultus.networks.pads.zoo import ZOO, architecture_of, build_pad
from vultus.networks.resume import ResumeFolder
from vultus.networks.schedule import FitParams, reproducible
from vultus.weights import locate

_COLUMNS = ("context_sha256", "context_box", "species")


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

    Raises: WeightsUnavailable, if the Params name a member or weights that cannot be had;
        BadArtifact, for weights of another network; BadParameter, where `pad_side` or
        `pad_pretrained` does not fit `pad_network`; TrainingFailed, where the train split lacks a class.
    """
    fixed = fixed_member(params, weights)
    with reproducible(settings):
        training, architecture = network_of(params, weights)
    lesson = lesson_of(crops, params, store)
    training.to(memory_format=torch.channels_last)
    history = fit(
        training, lesson, settings, resume=resume, on_epoch=log.epoch, look=log.look(lesson)
    )
    return Trained(
        network=training.network,
        architecture=architecture,
        history=history,
        examples=len(lesson.groups),
        transform=lambda sha256: transform_of(params, fixed, sha256),
        place_members=lambda folder: copy_member(fixed, folder) if fixed else None,
    )


def network_of(params: TrainParams, weights: Path) -> tuple[PadTraining, Architecture]:
    """What the Params choose, untrained but for ImageNet weights; see `fit_liveness`."""
    name, side, scales = params.pad_network, params.pad_side, len(params.pad_scales)
    architecture = architecture_of(name, side=side, scales=scales, frequency=params.pad_frequency)
    network = build_pad(architecture, _imagenet_file(params, weights))
    training = PadTraining(
        network,
        tuple(params.pad_auxiliary.chosen),
        side=side,
        scales=scales,
        kinds=len(SPECIES),
    )
    return training, architecture


def _imagenet_file(params: TrainParams, weights: Path) -> Path | None:
    if not params.pad_pretrained:
        return None
    row = ZOO[params.pad_network].imagenet
    if row is None:
        able = ", ".join(name for name, kind in ZOO.items() if kind.imagenet)
        raise BadParameter(
            f"pad_pretrained: there are no ImageNet weights for pad_network={params.pad_network}, "
            f"only for {able}"
        )
    return locate(row, weights)


def lesson_of(crops: pa.Table, params: TrainParams, store: Store) -> CropLesson:
    """Cut both splits. Raises: TrainingFailed, where the train split lacks a class."""
    train = rows_of(crops, Split.TRAIN, _COLUMNS)
    train = fair_draw(train, "species", params.limit, params.seed)
    validation = rows_of(crops, Split.VALIDATION, _COLUMNS)
    groups = both_classes(groups_of(train))
    jittered = cut(train, params, store, params.views)
    plain = cut(validation, params, store, 1)[:, 0]
    return CropLesson((jittered, groups), (plain, groups_of(validation)), params)
