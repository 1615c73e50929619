"""The training loop that everybody writes first: what benchmarks/train.py measures ours against.

A DataLoader whose dataset opens, decodes and cuts a picture a call, the network in torch's default
layout, an eager loop. First weights, order, schedule and dropout are the engine's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.machine import weights_folder
from components.train import TrainParams
from components.train.liveness import network_of
from vultus.faces.picture import decode_image
from vultus.faces.tensor import pad_crop
from vultus.networks.adapter import Adapter, UnitTrunk, levelling
from vultus.networks.distillation import EmbedderTraining
from vultus.networks.embedders.catalogue import build_embedder
from vultus.networks.heads import HEADS, AdapterTraining
from vultus.networks.load import TRUNKS
from vultus.networks.sampling import balanced_order, even_shares
from vultus.networks.schedule import FitParams, learning_rate, optimiser_for, reproducible
from vultus.storage import FolderStore
from vultus.weights import locate

_SPECIES = (None, "print", "replay", "mask")
_MEAN, _SCALE = np.float32(127.5), np.float32(1 / 128)


@dataclass
class Bench:
    """Crops of one task on disk, their rows in memory, the store behind them."""

    root: Path
    crops: Path
    rows: list[dict[str, Any]]
    store: FolderStore
    params: TrainParams
    first: Mapping[str, NDArray[np.floating]] = field(default_factory=dict)
    """First weights of the loop, where ours takes them from the pictures; not part of its time."""

    def settings(self, threads: int) -> FitParams:
        """As `train_model` makes them of the same params."""
        shared = self.params.model_dump(include=set(FitParams.__dataclass_fields__))
        return FitParams(**{**shared, "precision": "float32"}, threads=threads)


class Pictures(Dataset[tuple[Tensor, int]]):
    """A picture a call: read, decoded, cut, made floats of."""

    def __init__(self, bench: Bench, labels: np.ndarray) -> None:
        self.bench, self.labels = bench, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        row, params = self.bench.rows[number], self.bench.params
        if params.task == "recognition":
            chip = decode_image(self.bench.store.get(row["chip_sha256"]))
            pixels = torch.from_numpy(chip.astype(np.float32)).permute(2, 0, 1).contiguous()
            return pixels, int(self.labels[number])
        context = decode_image(self.bench.store.get(row["context_sha256"]))
        box = np.asarray(row["context_box"], np.float32)
        levels = [
            torch.from_numpy(((pad_crop(context, box, scale, params.pad_side)) - _MEAN) * _SCALE)
            for scale in params.pad_scales
        ]
        pixels = torch.cat([level.permute(2, 0, 1) for level in levels])
        return pixels.float(), int(self.labels[number])


def naive_pad(bench: Bench, settings: FitParams) -> list[float]:
    """Cross-entropy and what the auxiliary heads got wrong; species balanced as ours are."""
    params = bench.params
    groups = np.array([_SPECIES.index(row["species"]) for row in bench.rows], np.int64)
    attacks = [int(group) for group in np.unique(groups) if group]
    rest = (1 - params.bona_fide_share) / len(attacks)
    shares = {0: params.bona_fide_share, **dict.fromkeys(attacks, rest)}
    with reproducible(settings):
        network, _ = network_of(params, weights_folder())

    def loss(pixels: Tensor, labels: Tensor) -> Tensor:
        logits, auxiliary = network.training_outputs(pixels, labels)
        targets = (labels == 0).float()
        soft = targets * (1 - 2 * params.label_smoothing) + params.label_smoothing
        decision = functional.binary_cross_entropy_with_logits(logits, soft)
        for name, weight in params.pad_auxiliary.chosen.items():
            decision = decision + weight * auxiliary[name]
        return decision

    return _loop(network, loss, Pictures(bench, groups), shares, settings)


def naive_embedder(bench: Bench, settings: FitParams) -> list[float]:
    """ArcFace over the subjects."""
    params, subjects = bench.params, subjects_of(bench)
    with reproducible(settings):
        embedder = build_embedder(params.network, {"dimension": 128, "side": 112})
    with reproducible(settings):
        head = HEADS[params.head](int(subjects.max()) + 1, 128, scale=params.head_scale)
        training = EmbedderTraining(embedder, head)
    return _loop(training, training, Pictures(bench, subjects), even_shares(subjects), settings)


def naive_adapter(bench: Bench, settings: FitParams) -> list[float]:
    """ArcFace over the subjects on an adapter; the frozen trunk sees every batch of every epoch."""
    subjects, trunk = subjects_of(bench), _trunk(bench)
    training = _adapter_training(bench.params, int(subjects.max()) + 1)
    training.load_state_dict({k: torch.from_numpy(v) for k, v in bench.first.items()})

    def loss(pixels: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            embeddings = trunk(pixels)
        said: Tensor = training(embeddings, labels)
        return said

    return _loop(training, loss, Pictures(bench, subjects), even_shares(subjects), settings)


def first_adapter(bench: Bench) -> dict[str, NDArray[np.floating]]:
    """Where ours starts: the faces levelled, class centres at the subjects' means."""
    params, subjects, trunk = bench.params, subjects_of(bench), _trunk(bench)
    with torch.no_grad():
        loader = DataLoader(Pictures(bench, subjects), params.batch)
        embeddings = torch.cat([trunk(pixels) for pixels, _ in loader])
    training = _adapter_training(params, int(subjects.max()) + 1)
    training.adapter.start_at(levelling(embeddings, params.levelling))
    with torch.no_grad():
        training.head.start_at(training.adapter(embeddings), torch.from_numpy(subjects))
    training.origin.copy_(training.adapter.matrix.detach())
    return {name: value.numpy() for name, value in training.state_dict().items()}


def subjects_of(bench: Bench) -> NDArray[np.int64]:
    """Subjects as numbers, int64 [N]."""
    _, subjects = np.unique([row["subject"] for row in bench.rows], return_inverse=True)
    return subjects.astype(np.int64)


def _trunk(bench: Bench) -> nn.Module:
    """The packaged embedder in torch's default layout, frozen."""
    name = bench.params.network
    return UnitTrunk(TRUNKS[name].read(locate(name, weights_folder()))).eval()


def _adapter_training(params: TrainParams, subjects: int) -> AdapterTraining:
    dimension = TRUNKS[params.network].dimension
    head = HEADS[params.head](
        subjects, dimension, scale=params.head_scale, margin=params.head_margin
    )
    return AdapterTraining(Adapter(dimension), head, params.adapter_pull)


def _loop(
    network: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    pictures: Pictures,
    shares: dict[int, float],
    settings: FitParams,
) -> list[float]:
    """AdamW, a schedule, clipping: what a first draft has."""
    optimiser, curve = optimiser_for(network, settings), []
    network.train()
    for epoch in range(settings.epochs):
        rng = np.random.default_rng([settings.seed, epoch])
        order = balanced_order(pictures.labels, shares, len(pictures), rng)
        size = min(settings.batch, len(pictures))
        loader = DataLoader(pictures, size, sampler=order.tolist(), drop_last=True)
        steps, total = len(loader), 0.0
        for step, (pixels, labels) in enumerate(loader):
            rate = learning_rate(epoch * steps + step, steps * settings.epochs, settings)
            for group in optimiser.param_groups:
                group["lr"] = rate
            _dropout_as_ours(settings.seed, epoch, step)
            optimiser.zero_grad()
            loss = loss_of(pixels, labels)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
            optimiser.step()
            total += loss.item()
        curve.append(total / steps)
    return curve


def _dropout_as_ours(seed: int, epoch: int, step: int) -> None:
    """The engine's random state of this step, so that the same activations are dropped."""
    place = np.random.SeedSequence([seed, epoch, step, 0], spawn_key=(1,))
    torch.manual_seed(int(place.generate_state(1)[0]))
