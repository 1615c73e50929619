"""Recognition: embed the training chips once, then fit the adapter on embeddings in seconds."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from components.train.checkpoint import Trained
from components.train.embeddings import embed, keep, load_kept
from components.train.pairs import WATCHED, PairLesson
from components.train.params import TrainParams
from components.train.pictures import faces_of, fair_draw
from components.train.subjects import codes, mates_of, require_subjects
from components.train.tracking import Log
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.contracts.seams import Encoder, Store
from vultus.contracts.transform import Architecture
from vultus.contracts.words import Split
from vultus.faces.picture import decode_image
from vultus.networks.adapter import AdaptedTrunk, Adapter, levelling
from vultus.networks.encoder import TorchEncoder
from vultus.networks.engine import HistoryRow, fit
from vultus.networks.heads import HEADS, AdapterTraining
from vultus.networks.load import TRUNKS, adapted
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import Indices, even_shares
from vultus.networks.schedule import FitParams, reproducible
from vultus.weights import locate

logger = logging.getLogger(__name__)
_COLUMNS = ("subject", "chip_sha256")


def fit_recognition(
    crops: pa.Table,
    params: TrainParams,
    settings: FitParams,
    *,
    store: Store,
    weights: Path,
    resume: ResumeFolder,
    log: Log,
) -> Trained:
    """The packaged trunk with an adapter fitted on the train split; untouched for 0 epochs, and where
    the adapter does not help (`only_better`).

    Raises: WeightsUnavailable; TrainingFailed, with fewer than two subjects to tell apart.
    """
    packaged = TRUNKS[params.network]
    transform = packaged.transform(params.detector)
    trunk = packaged.read(locate(params.network, weights))
    adapter, history, examples = Adapter(packaged.dimension), list[HistoryRow](), 0
    if params.epochs:
        with reproducible(settings):
            encoder = TorchEncoder(AdaptedTrunk(trunk, adapter), transform)
            lesson = _lesson(crops, params, store, encoder, resume.folder / "embeddings.npy")
            training = _training(lesson, params)
        history = fit(
            training, lesson, settings, resume=resume, on_epoch=log.epoch, look=log.look(lesson)
        )
        examples = len(lesson.groups) // params.views
        adapter, said = chosen(training, lesson, params)
        log.metrics(said, max(row[0] for row in history))
        last = history[-1]
        history += [(*last[:2], Split.VALIDATION.value, *figure) for figure in said.items()]
    return Trained(
        network=AdaptedTrunk(trunk, adapter),
        architecture=Architecture(
            name=adapted(params.network), options={"dimension": packaged.dimension}
        ),
        history=history,
        examples=examples,
        transform=lambda _: transform,
    )


def chosen(
    training: AdapterTraining, lesson: "EmbeddingLesson", params: TrainParams
) -> tuple[Adapter, dict[str, float]]:
    """The trained adapter, or the identity where validation faces are not told apart better with it.

    Few people teach an adapter what is theirs alone; a trunk that was trained on thousands then loses.
    Returns: the adapter; AUC and EER of the untouched trunk, and `adapter_kept`, 1 or 0: empty where
        validation cannot say.
    """
    if not lesson.judged:
        return training.adapter, {}
    untouched = {f"{name}_untouched": value for name, value in lesson.untouched().items()}
    with torch.no_grad():
        found = lesson.validate(training)
    kept = not params.only_better or found["auc"] > untouched["auc_untouched"]
    if not kept:
        logger.warning(
            "the trunk alone tells validation faces apart as well or better; the adapter is left out",
            extra={"auc": found["auc"], **untouched},
        )
    adapter = training.adapter if kept else Adapter(len(training.adapter.residual))
    return adapter, {**untouched, "adapter_kept": float(kept)}


class EmbeddingLesson(PairLesson):
    """Training embeddings with their subjects, validation embeddings with theirs."""

    def __init__(
        self,
        train: Embeddings,
        subjects: Indices,
        validation: Embeddings,
        others: Indices,
        picture: Callable[[int], RgbImage],
        *,
        mates: bool = False,
    ) -> None:
        """Args: picture: the chip of a validation face; mates: whether a batch must hold two examples
        of a subject.
        """
        super().__init__(others, picture)
        self.embeddings = torch.from_numpy(train)
        self.subjects = torch.from_numpy(subjects)
        self.groups = subjects
        self.shares = even_shares(subjects)
        self._validation = torch.from_numpy(validation)
        self._mates = mates

    def batch(self, indices: Indices, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Embeddings and subjects; augmentation happened on the pixels."""
        if self._mates:
            indices = mates_of(self.groups, indices, rng)
        return self.still(indices)

    def still(self, indices: Indices) -> tuple[Tensor, ...]:
        """Embeddings and subjects of just these examples."""
        chosen = torch.from_numpy(indices)
        return self.embeddings[chosen], self.subjects[chosen]

    def vectors(self, network: nn.Module) -> Embeddings:
        """The validation embeddings, adapted."""
        assert isinstance(network, AdapterTraining)
        adapted: Embeddings = network.adapter(self._validation).numpy()
        return adapted

    def untouched(self) -> dict[str, float]:
        """AUC and EER of the trunk alone; both kinds of pair are there."""
        return self._figures(self._compared(self._validation.numpy()))

    def validate(self, network: nn.Module) -> dict[str, float]:
        """With how far the adapter went; empty without both kinds of pair."""
        assert isinstance(network, AdapterTraining)
        figures = super().validate(network)
        drift = float(network.adapter.drift(network.origin))
        return {**figures, "adapter_drift": drift} if figures else {}


def _lesson(
    crops: pa.Table, params: TrainParams, store: Store, encoder: Encoder, kept: Path
) -> EmbeddingLesson:
    """Embed both splits; `kept` is a file beside the resume state that saves doing it twice.

    Raises: TrainingFailed, with fewer than two subjects to tell apart.
    """
    train = faces_of(crops, Split.TRAIN, _COLUMNS)
    train = fair_draw(train, "subject", params.limit, params.seed)
    validation = faces_of(crops, Split.VALIDATION, _COLUMNS)
    validation = fair_draw(validation, "subject", WATCHED, params.seed)
    subjects = codes(train)
    require_subjects(subjects, params)
    rows = len(train) * params.views + len(validation)
    embeddings = load_kept(kept, rows)
    if embeddings is None:
        embeddings = np.concatenate(
            [
                embed(train, params, store, encoder, params.views),
                embed(validation, params, store, encoder, 1),
            ]
        )
        keep(embeddings, kept)
    split = len(train) * params.views
    return EmbeddingLesson(
        embeddings[:split],
        np.repeat(subjects, params.views),
        embeddings[split:],
        codes(validation),
        lambda number: decode_image(store.get(validation[number]["chip_sha256"])),
        mates=params.head == "triplet",
    )


def _training(lesson: EmbeddingLesson, params: TrainParams) -> AdapterTraining:
    """Adapter at the levelling of the training faces, class centres at the subjects' means."""
    dimension = lesson.embeddings.shape[1]
    adapter = Adapter(dimension)
    if params.levelling:
        adapter.start_at(levelling(lesson.embeddings, params.levelling))
    head = HEADS[params.head](
        len(lesson.shares), dimension, scale=params.head_scale, margin=params.head_margin
    )
    with torch.no_grad():
        head.start_at(adapter(lesson.embeddings), lesson.subjects)
    return AdapterTraining(adapter, head, params.adapter_pull)
