"""What a PAD network is taught: crops, the loss, and how well it tells them apart."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from components.train.augmentation import relit
from components.train.pad_errors import PadErrors
from components.train.panel import tensor_params
from components.train.params import TrainParams
from components.train.presentations import BONA_FIDE, auc_by_species
from vultus.contracts.arrays import Scores
from vultus.errors import TrainingFailed
from vultus.networks.pads.network import PadNetwork
from vultus.networks.sampling import Indices

_BATCH = 64


class CropLesson(PadErrors):
    """Crops of the train and validation split with their species; group 0 is bona fide."""

    monitored = "auc"

    def __init__(
        self,
        train: tuple[NDArray[np.uint8], Indices],
        validation: tuple[NDArray[np.uint8], Indices],
        params: TrainParams,
    ) -> None:
        """Args: crops uint8 [N, views, 3K, S, S] and [M, 3K, S, S], each with its groups."""
        super().__init__(validation[1], len(params.pad_scales))
        self._crops, self.groups = train
        self._validation = validation[0]
        self._params = params
        self._tensor = tensor_params(params)
        attacks = [int(group) for group in np.unique(self.groups) if group != BONA_FIDE]
        rest = (1 - params.bona_fide_share) / max(1, len(attacks))
        self.shares = {BONA_FIDE: params.bona_fide_share, **dict.fromkeys(attacks, rest)}

    def batch(self, indices: Indices, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Crops of one jitter each, mildly relit; their groups, int64."""
        views = rng.integers(0, self._crops.shape[1], len(indices))
        crops = relit(self._scaled(self._crops[indices, views]), self._params.pad_augment, rng)
        return crops, torch.from_numpy(self.groups[indices])

    def still(self, indices: Indices) -> tuple[Tensor, ...]:
        """Crops of the box as it was found, as they are; their groups."""
        return self._scaled(self._crops[indices, 0]), torch.from_numpy(self.groups[indices])

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Cross-entropy, and what the auxiliary heads got wrong, each with its weight.

        Raises: TrainingFailed, for a network that is no PadNetwork.
        """
        if not isinstance(network, PadNetwork):
            raise TrainingFailed(f"{type(network).__name__} has no training_outputs: no PadNetwork")
        crops, groups = batch
        logits, auxiliary = network.training_outputs(crops, groups)
        smooth = self._params.label_smoothing
        soft = (groups == BONA_FIDE).float() * (1 - 2 * smooth) + smooth
        loss = functional.binary_cross_entropy_with_logits(logits.float(), soft)
        for name, weight in self._params.pad_auxiliary.chosen.items():
            loss = loss + weight * auxiliary[name]
        return loss

    def validate(self, network: nn.Module) -> dict[str, float]:
        """AUC over all attacks and per species; empty without both classes."""
        return auc_by_species(self.logits(network), self._groups)

    @torch.no_grad()
    def logits(self, network: nn.Module) -> Scores:
        """float32 [M] of the validation presentations."""
        out = np.empty(len(self._validation), np.float32)
        for start in range(0, len(out), _BATCH):
            part = slice(start, start + _BATCH)
            out[part] = network(self._scaled(self._validation[part])).numpy()
        return out

    def crop(self, index: int) -> NDArray[np.uint8]:
        """uint8 [3K, S, S] of one validation presentation."""
        one: NDArray[np.uint8] = self._validation[index]
        return one

    def _scaled(self, crops: NDArray[np.uint8]) -> Tensor:
        """float32, channels last: bytes are put in another order at a quarter of what floats cost."""
        pixels = torch.from_numpy(crops).contiguous(memory_format=torch.channels_last)
        return pixels.float().sub_(self._tensor.mean).mul_(self._tensor.scale)
