"""Heads and losses that exist during training only."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.adapter import Adapter


class ArcFace(nn.Module):
    """Additive angular margin loss over unit embeddings.

    Args of the constructor: classes ≥ 2; dimension of an embedding; scale s of the logits; margin m
    in radians.
    Source: Deng et al., "ArcFace", CVPR 2019, equation 3; where θ + m would pass π the penalty of
    the authors' reference code (cos θ − m·sin m) keeps the target logit falling.
    """

    def __init__(
        self, classes: int, dimension: int, *, scale: float = 24.0, margin: float = 0.3
    ) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.empty(classes, dimension))
        nn.init.normal_(self.centres, std=0.01)
        self.scale, self.margin = scale, margin

    @torch.no_grad()
    def start_at(self, embeddings: Tensor, labels: Tensor) -> None:
        """Put each class centre at the mean of its embeddings: the loss starts where trunk does."""
        sums = torch.zeros_like(self.centres).index_add_(0, labels, embeddings)
        self.centres.copy_(functional.normalize(sums))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean loss. Args: float32 [N, D], unit length; int64 [N] below `classes`."""
        cosine = (embeddings @ functional.normalize(self.centres).T).clamp(-1 + 1e-6, 1 - 1e-6)
        target = cosine.gather(1, labels[:, None])
        sine = (1 - target.square()).sqrt()
        narrower = target * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = target - self.margin * math.sin(self.margin)
        penalised = torch.where(target > -math.cos(self.margin), narrower, beyond)
        logits = cosine.scatter(1, labels[:, None], penalised)
        return functional.cross_entropy(self.scale * logits, labels)


class AdapterTraining(nn.Module):
    """Adapter and class centres, trained together; only the adapter is kept."""

    origin: Tensor

    def __init__(self, adapter: Adapter, head: ArcFace, pull: float) -> None:
        """`adapter` stands where training begins; `pull` holds it near there."""
        super().__init__()
        self.adapter, self.head, self.pull = adapter, head, pull
        self.register_buffer("origin", adapter.matrix.detach().clone())

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """ArcFace loss plus `pull` times the adapter's drift from where it began."""
        loss: Tensor = self.head(self.adapter(embeddings), labels)
        return loss + self.pull * self.adapter.drift(self.origin)
