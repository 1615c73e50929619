"""A frozen trunk, its features standardised, and one linear layer: PAD from a few hundred pictures.

With a trunk that never learns from them, simulated attacks decide 464 weights and no more: a network
trained on them from scratch learns the simulator, and two seeds of it differ by 0.1 in AUC.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vultus.networks.lite0 import SIDE, WIDTH, Lite0

SCALES = (2.7,)
__all__ = ["SCALES", "SIDE", "FrozenPad", "Head", "fit_head"]
_STEPS = 30
_STILL = 1e-9

Matrix = NDArray[np.float64]


class FrozenPad(nn.Module):
    """float32 [N, 3, 112, 112], RGB, (pixel - 127.5) / 128 -> float32 [N], logit of bona fide."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, trunk: Lite0 | None = None) -> None:
        super().__init__()
        self.trunk = trunk or Lite0()
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("deviation", torch.ones(WIDTH))
        self.head = nn.Linear(WIDTH, 1)
        self.requires_grad_(False)

    def forward(self, crops: Tensor) -> Tensor:
        """Higher = more bona fide."""
        logit: Tensor = self.head((self.trunk(crops) - self.mean) / self.deviation)
        return logit.squeeze(1)

    def wear(self, head: "Head") -> None:
        """Take over a fitted head."""
        self.mean.copy_(torch.from_numpy(head.mean))
        self.deviation.copy_(torch.from_numpy(head.deviation))
        self.head.weight.copy_(torch.from_numpy(head.weight)[None])
        self.head.bias.fill_(head.bias)


@dataclass(frozen=True)
class Head:
    """mean, deviation, weight: float64 [D]."""

    mean: Matrix
    deviation: Matrix
    weight: Matrix
    bias: float

    def __call__(self, features: NDArray[np.floating]) -> Matrix:
        """[N, D] -> logits float64 [N]."""
        return np.asarray(((features - self.mean) / self.deviation) @ self.weight + self.bias)


def fit_head(
    features: NDArray[np.floating], targets: NDArray[np.bool_], shares: Matrix, pull: float
) -> Iterator[tuple[float, Head]]:
    """Weighted logistic regression by Newton's method, from 0; every step's loss and head.

    The problem is convex, so that there is one answer and no seed. `pull` is lambda of
    mean loss + lambda / 2 * |weight|^2 (scikit-learn's C = 1 / (lambda * N)); the bias is free.

    Args:
        features: [N, D]; targets: bool [N], bona fide; shares: float64 [N], any scale.
        pull: > 0.
    """
    share = shares / shares.sum()
    known = np.asarray(features, np.float64)
    mean = share @ known
    deviation = np.sqrt(share @ np.square(known - mean)) + 1e-6
    table = np.concatenate([(known - mean) / deviation, np.ones((len(known), 1))], axis=1)
    sign = np.where(targets, 1.0, -1.0)
    ridge = np.full(table.shape[1], pull)
    ridge[-1] = 0.0

    def loss(answer: Matrix) -> float:
        data = share @ np.logaddexp(0, -sign * (table @ answer))
        return float(data + (ridge * answer * answer).sum() / 2)

    found = np.zeros(table.shape[1])
    value = loss(found)
    for _ in range(_STEPS):
        chance = 0.5 * (1 + np.tanh(table @ found / 2))
        slope = table.T @ (share * (chance - targets)) + ridge * found
        curve = (table.T * (share * chance * (1 - chance))) @ table + np.diag(ridge + 1e-12)
        step = np.linalg.solve(curve, slope)
        while (tried := loss(found - step)) > value and np.abs(step).max() > _STILL:
            step = step / 2
        found, gained, value = found - step, value - tried, tried
        yield value, Head(mean, deviation, found[:-1], float(found[-1]))
        if gained < _STILL:
            return
