"""A linear adapter on a frozen trunk that starts exactly as the identity.

Fine-tuning on rendered people must not cost accuracy on real ones: the trunk never moves, and the
adapter is one matrix W. At W = I the embedder is the untouched trunk. Training begins by levelling
what all training faces have in common (`levelling`), and is pulled back to that start (`drift`).
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.trunk import Trunk


class Adapter(nn.Module):
    """float32 [N, D] -> [N, D], unit length: normalise(W · normalise(x)), W = I + residual."""

    residual: nn.Parameter

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.residual = nn.Parameter(torch.zeros(dimension, dimension))

    @property
    def matrix(self) -> Tensor:
        """W, float32 [D, D]."""
        return torch.eye(len(self.residual)) + self.residual

    def forward(self, embeddings: Tensor) -> Tensor:
        """Adapt a batch."""
        unit = functional.normalize(embeddings)
        return functional.normalize(unit + unit @ self.residual.T)

    @torch.no_grad()
    def start_at(self, matrix: Tensor) -> None:
        """Set W, float32 [D, D]."""
        self.residual.copy_(matrix - torch.eye(len(matrix)))

    def drift(self, origin: Tensor | None = None) -> Tensor:
        """Squared Frobenius distance of W from another matrix, or from I."""
        moved = self.residual if origin is None else self.matrix - origin
        return moved.square().sum()


def levelling(embeddings: Tensor, damping: float) -> Tensor:
    """The symmetric matrix that evens out directions which all faces of a source share.

    Rendered people, one camera or one ancestry push all embeddings one way; strangers then score
    high and a threshold set on them refuses everybody else's mates. Directions are divided by the
    square root of their energy, damped so that those with little energy are left as they are.

    Args:
        embeddings: float32 [N, D], unit length.
        damping: share of the largest energy that is added to each; large = the identity.
    Returns: float32 [D, D], the root mean square of its diagonal is 1.
    Source: damped PCA whitening; measured here, see components/train/README.md.
    """
    unit = embeddings.double()
    energy, axes = torch.linalg.eigh(unit.T @ unit / len(unit))
    scale = 1 / (energy.clamp(min=0) / energy[-1] + damping).sqrt()
    matrix = axes @ torch.diag(scale) @ axes.T
    levelled: Tensor = (matrix / matrix.diagonal().square().mean().sqrt()).float()
    return levelled


class AdaptedTrunk(nn.Module):
    """The whole embedder: trunk, adapter, unit length."""

    def __init__(self, trunk: Trunk, adapter: Adapter) -> None:
        super().__init__()
        self.trunk = trunk
        self.adapter = adapter

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [N, 3, S, S], RGB 0–255 -> float32 [N, D], unit length."""
        embeddings: Tensor = self.adapter(self.trunk(pixels))
        return embeddings

    @torch.no_grad()
    def merged(self) -> "UnitTrunk":
        """The same function with W multiplied into the last dense layer.

        normalise(W · x/|x|) = normalise(W · x), so that an adapter costs nothing when exported.
        """
        trunk = copy.deepcopy(self.trunk)
        matrix = self.adapter.matrix.double()
        for part in trunk.dense.parameters():  # weight, and biases where there are any
            part.copy_(matrix @ part.double())
        return UnitTrunk(trunk).eval().requires_grad_(False)


class UnitTrunk(nn.Module):
    """A trunk with unit length: the form that is exported."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [N, 3, S, S], RGB 0–255 -> float32 [N, D], unit length."""
        return functional.normalize(self.trunk(pixels))
