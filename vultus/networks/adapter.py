"""A linear adapter on a frozen trunk that starts exactly as the identity.

Fine-tuning on rendered people must not cost accuracy on real ones: the trunk never moves, and the
adapter is one matrix W that begins at I and is pulled back to it (`drift`). At W = I the embedder
is the untouched trunk.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.sface import DIMENSION, SFace


class Adapter(nn.Module):
    """float32 [N, D] -> [N, D], unit length: normalise(W · normalise(x)), W = I + residual."""

    residual: nn.Parameter

    def __init__(self, dimension: int = DIMENSION) -> None:
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

    def drift(self) -> Tensor:
        """Squared Frobenius distance of W from I: what the regulariser holds small."""
        return self.residual.square().sum()


class AdaptedSFace(nn.Module):
    """The whole embedder: SFace, adapter, unit length."""

    def __init__(self, trunk: SFace, adapter: Adapter) -> None:
        super().__init__()
        self.trunk = trunk
        self.adapter = adapter

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [N, 3, 112, 112], RGB 0–255 -> float32 [N, 128], unit length."""
        embeddings: Tensor = self.adapter(self.trunk(pixels))
        return embeddings

    @torch.no_grad()
    def merged(self) -> "UnitSFace":
        """The same function with W multiplied into the last dense layer.

        normalise(W · x/|x|) = normalise(W · x), so that an adapter costs nothing when exported.
        """
        trunk = SFace()
        trunk.load_state_dict(self.trunk.state_dict())
        matrix = self.adapter.matrix.double()
        trunk.dense.weight.copy_(matrix @ trunk.dense.weight.double())
        trunk.dense.bias.copy_(matrix @ trunk.dense.bias.double())
        return UnitSFace(trunk).eval().requires_grad_(False)


class UnitSFace(nn.Module):
    """SFace with unit length: the form that is exported."""

    def __init__(self, trunk: SFace) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [N, 3, 112, 112], RGB 0–255 -> float32 [N, 128], unit length."""
        return functional.normalize(self.trunk(pixels))
