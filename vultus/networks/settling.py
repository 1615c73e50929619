"""BatchNorm's running statistics, taken again with the weights that are kept.

While a network is trained they follow the weights of the steps before, and the average of the weights
(EMA) averages them once more. After a few hundred steps they still lag so far behind that a network may
say the same of every picture in evaluation mode, however well it does in training mode. So they are
thrown away before a validation, and with it before anything is kept, and taken from training
examples as they are: a plain mean over parts of a few dozen, dropout off, nothing drawn at random.
Source: Izmailov et al., "Averaging Weights Leads to Wider Optima", UAI 2018, section 3.2; Wu and
Johnson, "Rethinking 'Batch' in BatchNorm", 2021, section 3 (PreciseBN).
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vultus.networks.sampling import Indices, balanced_order

_SHARE, _LEAST, _MOST = 0.25, 64, 256
"""Of the training examples: a forward pass of so many once an epoch, which costs about a third of
a training step. So at most 8 % of an epoch, where it has 256 examples or more."""
_PART = 64


class Shown(Protocol):
    """What is needed of a lesson."""

    @property
    def groups(self) -> Indices:
        """int64 [N]: the balancing group of each example."""

    @property
    def shares(self) -> Mapping[int, float]:
        """Group -> its share of an epoch."""

    def still(self, indices: Indices) -> tuple[Tensor, ...]:
        """A batch of these examples as they are, nothing drawn at random; on the processor."""

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Passes the batch through every part that is trained."""


def settle(
    network: nn.Module, lesson: Shown, device: torch.device, seed: int = 0
) -> dict[str, Tensor]:
    """Give each BatchNorm that is trained the statistics of its present input.

    Norms that stay in evaluation mode when the network is told to train, those of frozen stages, stay
    as they are. The examples depend on the lesson and `seed` alone, so that a resumed training, and
    every process among several, comes to the same statistics.

    Args: network: on `device`; it is left in evaluation mode.
    Returns: a copy of the new statistics under their names in the state dict; empty without norms.
    """
    network.train()
    norms = {
        name: part
        for name, part in network.named_modules()
        if isinstance(part, _BatchNorm) and part.training and part.track_running_stats
    }
    network.eval()
    if not norms:
        return {}
    momenta = {name: norm.momentum for name, norm in norms.items()}
    for norm in norms.values():
        norm.reset_running_stats()
        norm.momentum = None  # torch's word for a plain mean over all parts
        norm.train()
    size = min(len(lesson.groups), max(_LEAST, min(int(_SHARE * len(lesson.groups)), _MOST)))
    order = balanced_order(lesson.groups, lesson.shares, size, np.random.default_rng(seed))
    with torch.no_grad():
        for part in np.array_split(order, max(1, size // _PART)):
            lesson.loss(network, tuple(each.to(device) for each in lesson.still(part)))
    for name, norm in norms.items():
        norm.momentum = momenta[name]
    network.eval()
    return {
        f"{name}.{kind}": value.clone()
        for name, norm in norms.items()
        for kind, value in norm.named_buffers()
    }
