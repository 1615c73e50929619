"""Recognition: train a whole network, on subjects, from a teacher, or both."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from components.train.augmentation import augmented
from components.train.checkpoint import Trained
from components.train.chips import chips_of, taught_views
from components.train.pairs import WATCHED, PairLesson
from components.train.params import TrainParams
from components.train.pictures import faces_of, fair_draw
from components.train.subjects import codes, mates_of, require_subjects
from components.train.tracking import Log
from vultus.contracts.arrays import Embeddings, RgbBatch
from vultus.contracts.seams import Store
from vultus.contracts.transform import Architecture, RecognitionTransform
from vultus.contracts.words import Split
from vultus.errors import TrainingFailed
from vultus.faces.tensor import chip_tensor
from vultus.networks.adapter import UnitTrunk
from vultus.networks.distillation import EmbedderTraining
from vultus.networks.embedders.catalogue import EMBEDDERS, build_embedder
from vultus.networks.embedders.embedder import Embedder, UnitEmbedder
from vultus.networks.embedders.published import read_published
from vultus.networks.encoder import TorchEncoder
from vultus.networks.engine import fit
from vultus.networks.heads import HEADS
from vultus.networks.load import TRUNKS
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices, even_shares
from vultus.networks.schedule import FitParams, reproducible
from vultus.weights import locate

_COLUMNS = ("subject", "chip_sha256")
_BATCH = 32


def fit_embedder(
    crops: pa.Table,
    params: TrainParams,
    settings: FitParams,
    *,
    store: Store,
    weights: Path,
    resume: ResumeFolder,
    log: Log,
) -> Trained:
    """The network that `params.network` names, from scratch or from weights, trained whole.

    Raises: WeightsUnavailable; BadArtifact, for weights of another architecture; TrainingFailed, for
        too few subjects or a teacher whose embeddings have another length.
    """
    teacher = teacher_of(params, weights)
    with reproducible(settings):
        embedder, options = _network(params, weights, teacher)
    transform = EMBEDDERS[params.network].transform(
        int(options["dimension"]), int(options["side"]), params.detector
    )
    lesson = _lesson(crops, params, store, transform, teacher, resume.folder)
    with reproducible(settings):
        training = training_of(embedder, lesson, params)
    history = fit(
        training, lesson, settings, resume=resume, on_epoch=log.epoch, look=log.look(lesson)
    )
    return Trained(
        network=UnitEmbedder(embedder),
        architecture=Architecture(name=params.network, options=options),
        history=history,
        examples=len(np.unique(lesson.pictures)),
        transform=lambda _: transform,
    )


class ChipLesson(PairLesson):
    """Chips in memory, or in a file beyond a size, with subjects and what a teacher says of them."""

    def __init__(
        self,
        chips: RgbBatch,
        subjects: Indices,
        pictures: Indices,
        validation: tuple[RgbBatch, Indices],
        params: TrainParams,
        transform: RecognitionTransform,
        taught: Embeddings | None = None,
    ) -> None:
        """Args: pictures: int64 [N], which picture each chip is a view of; taught: float32 [N, T]."""
        self._validation, people = validation
        super().__init__(people, lambda number: self._validation[number])
        self.chips, self.groups, self.pictures = chips, subjects, pictures
        self.shares = even_shares(subjects)
        self._params, self._transform, self._taught = params, transform, taught

    def batch(self, indices: Indices, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Pixels, subjects, and the teacher's embeddings where there is one.

        With a teacher a view is shown as the teacher saw it; without one it is augmented here.
        """
        if self._params.head == "triplet" and self._params.distil < 1:
            indices = mates_of(self.groups, indices, rng)
        chips = self.chips[indices]
        if self._taught is None:
            chips = np.stack([augmented(c, self._params.chip_augment, rng) for c in chips])
        return self._batch(chips, indices)

    def still(self, indices: Indices) -> tuple[Tensor, ...]:
        """The chips as they are kept; with a teacher, the views that it saw."""
        return self._batch(self.chips[indices], indices)

    def _batch(self, chips: RgbBatch, indices: Indices) -> tuple[Tensor, ...]:
        batch = (_pixels(chips, self._transform), torch.from_numpy(self.groups[indices]))
        return batch if self._taught is None else (*batch, torch.from_numpy(self._taught[indices]))

    def vectors(self, network: nn.Module) -> Embeddings:
        """The validation chips, embedded."""
        assert isinstance(network, EmbedderTraining)
        unit = UnitEmbedder(network.embedder)
        found = [
            unit(_pixels(self._validation[start : start + _BATCH], self._transform)).numpy()
            for start in range(0, len(self._validation), _BATCH)
        ]
        return np.concatenate(found)


def training_of(embedder: Embedder, lesson: ChipLesson, params: TrainParams) -> EmbedderTraining:
    """The embedder with its head, stages frozen as `params.freeze` says."""
    last = embedder.stages()[-1]
    embedder.freeze(params.freeze)
    if not any(weight.requires_grad for weight in last.parameters()):
        raise TrainingFailed(
            f"train.freeze={params.freeze} leaves nothing to train of {params.network}, "
            f"which has {len(embedder.stages())} stages; freeze fewer"
        )
    head = None
    if params.distil < 1:
        head = HEADS[params.head](
            int(lesson.groups.max()) + 1,
            embedder.dimension,
            scale=params.head_scale,
            margin=params.head_margin,
        )
    training = EmbedderTraining(
        embedder, head, distil=params.distil, relation=params.relation_weight
    )
    return training.to(memory_format=torch.channels_last)


def teacher_of(params: TrainParams, weights: Path) -> TorchEncoder | None:
    """The packaged embedder that is learned from. Raises: WeightsUnavailable."""
    if params.teacher is None:
        return None
    packaged = TRUNKS[params.teacher]
    trunk = packaged.read(locate(params.teacher, weights))
    return TorchEncoder(UnitTrunk(trunk), packaged.transform(params.detector))


def _network(
    params: TrainParams, weights: Path, teacher: TorchEncoder | None
) -> tuple[Embedder, dict[str, int | float | str | bool]]:
    """The embedder where training starts, and the options that build it again."""
    whole = EMBEDDERS[params.network]
    dimension = whole.dimension
    if teacher and params.weights is None:
        dimension = teacher.dimension
    options: dict[str, int | float | str | bool] = {"dimension": dimension, "side": whole.side}
    options |= params.network_options
    embedder = build_embedder(params.network, options)
    if params.weights is not None:
        read_published(embedder, locate(params.weights, weights), params.network)
    if teacher and options["dimension"] != teacher.dimension:
        raise TrainingFailed(
            f"{params.network} gives {options['dimension']} numbers a face, its teacher "
            f"{params.teacher} gives {teacher.dimension}: leave out train.weights, or the teacher"
        )
    return embedder, options


def _lesson(
    crops: pa.Table,
    params: TrainParams,
    store: Store,
    transform: RecognitionTransform,
    teacher: TorchEncoder | None,
    kept: Path,
) -> ChipLesson:
    """Decode both splits once. Raises: TrainingFailed, where the subjects teach nothing."""
    train = faces_of(crops, Split.TRAIN, _COLUMNS)
    train = fair_draw(train, "subject", params.limit, params.seed)
    watched = faces_of(crops, Split.VALIDATION, _COLUMNS)
    watched = fair_draw(watched, "subject", WATCHED, params.seed)
    subjects = codes(train)
    require_subjects(subjects, params)
    chips = chips_of(train, store, kept / "chips.npy")
    validation = (chips_of(watched, store, kept / "watched.npy"), codes(watched))
    pictures = np.arange(len(train))
    if teacher is None:
        return ChipLesson(chips, subjects, pictures, validation, params, transform)
    views, taught = taught_views(chips, params, teacher, kept)
    subjects, pictures = (np.repeat(each, params.views) for each in (subjects, pictures))
    return ChipLesson(views, subjects, pictures, validation, params, transform, taught)


def _pixels(chips: RgbBatch, transform: RecognitionTransform) -> Tensor:
    pixels = torch.from_numpy(chip_tensor(chips, transform))
    return pixels.contiguous(memory_format=torch.channels_last)
