"""A training under way: what lives while a network is trained, and is saved."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vultus.networks import ranks
from vultus.networks.precision import Arithmetic

HistoryRow = tuple[int, int, str, str, float]
"""epoch, step, split, metric, value: a row of HISTORY_SCHEMA."""

_KEPT = ("averaged", "history", "best", "best_value", "best_epoch", "epoch", "step", "loss_sum")


@dataclass
class Course:
    """What lives while a network is trained; exactly this is saved."""

    network: nn.Module
    objective: nn.Module
    """The loss as a module: examples in, a number out; over several processes it averages."""
    optimiser: torch.optim.Optimizer
    arithmetic: Arithmetic
    scaler: torch.amp.GradScaler
    averaged: dict[str, Tensor]
    history: list[HistoryRow] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_value: float = -math.inf
    best_epoch: int = -1
    epoch: int = 0
    step: int = 0  # inside the epoch
    loss_sum: float = 0.0

    def state(self) -> dict[str, Any]:
        """All of it as tensors, numbers and strings."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            **{name: getattr(self, name) for name in _KEPT},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, wherever it was made."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        for name in _KEPT:
            setattr(self, name, state[name])
        self.history = [tuple(row) for row in state["history"]]
        for weights in (self.averaged, self.best):
            for name, value in weights.items():
                weights[name] = value.to(self.arithmetic.device)

    def average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones."""
        if not self.averaged:
            return
        with torch.no_grad():
            for name, now in self.network.state_dict().items():
                if now.is_floating_point():
                    self.averaged[name].lerp_(now, 1 - decay)
                else:
                    self.averaged[name].copy_(now)

    def weights(self) -> dict[str, Tensor]:
        """A copy of the present weights."""
        return {name: value.clone() for name, value in self.network.state_dict().items()}

    def finish(self) -> None:
        """The best or averaged weights go into the network, alike in every process."""
        self.network.load_state_dict(self.best or self.averaged or self.network.state_dict())
        ranks.share_weights(self.network.state_dict())
        self.network.cpu().eval()
