"""Heads and losses that exist during training only.

A head takes embeddings of any length and subjects, and gives the mean loss. Those with a margin share
one form, cross-entropy over s·cos(θ): they differ in what the cosine of a face with its own subject's
centre is replaced by, so that without a margin all are the normalised softmax.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.adapter import Adapter

_EDGE = 1 - 1e-6
"""Beyond this cosine the slope of an angle has no bound."""


class Head(nn.Module):
    """float32 [N, D], int64 [N] -> scalar."""

    margin: float = 0.0
    """Where nothing is said; units as in each source."""

    def start_at(self, embeddings: Tensor, labels: Tensor) -> None:
        """Begin where the embedder is; nothing to do for a head without centres."""


class Softmax(Head):
    """Normalised softmax: cross-entropy over scaled cosines.

    Args of the constructor: classes ≥ 2; dimension of an embedding; scale s of the logits; margin.
    Source: Wang et al., "NormFace", ACM MM 2017, equation 6.
    """

    def __init__(
        self, classes: int, dimension: int, *, scale: float = 24.0, margin: float | None = None
    ) -> None:
        super().__init__()
        self.centres = nn.Parameter(torch.empty(classes, dimension))
        nn.init.normal_(self.centres, std=0.01)
        self.scale = scale
        if margin is not None:
            self.margin = margin

    @torch.no_grad()
    def start_at(self, embeddings: Tensor, labels: Tensor) -> None:
        """Put each class centre at the mean of its embeddings: the loss starts where trunk does."""
        sums = torch.zeros_like(self.centres).index_add_(0, labels, embeddings)
        self.centres.copy_(functional.normalize(sums))

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean loss. Args: float32 [N, D]; int64 [N] below `classes`."""
        unit = functional.normalize(embeddings)
        cosine = (unit @ functional.normalize(self.centres).T).clamp(-_EDGE, _EDGE)
        target = cosine.gather(1, labels[:, None])
        penalised = self.penalised(target, embeddings)
        return functional.cross_entropy(
            self.scale * cosine.scatter(1, labels[:, None], penalised), labels
        )

    def penalised(self, target: Tensor, embeddings: Tensor) -> Tensor:
        """What stands for the cosine with the own centre, float32 [N, 1] -> [N, 1]."""
        return target


class ArcFace(Softmax):
    """Additive angular margin m, radians: cos(θ + m).

    Source: Deng et al., "ArcFace", CVPR 2019, equation 3; where θ + m would pass π the penalty of
    the authors' reference code (cos θ − m·sin m) keeps the target logit falling.
    """

    margin = 0.3

    def penalised(self, target: Tensor, embeddings: Tensor) -> Tensor:
        """cos(θ + m)."""
        sine = (1 - target.square()).sqrt()
        narrower = target * math.cos(self.margin) - sine * math.sin(self.margin)
        beyond = target - self.margin * math.sin(self.margin)
        return torch.where(target > -math.cos(self.margin), narrower, beyond)


class CosFace(Softmax):
    """Additive cosine margin m: cos θ − m.

    Source: Wang et al., "CosFace", CVPR 2018, equation 4.
    """

    margin = 0.35

    def penalised(self, target: Tensor, embeddings: Tensor) -> Tensor:
        """cos θ − m."""
        return target - self.margin


class AdaFace(Softmax):
    """A margin that follows the length of the embedding, which stands for the picture's quality.

    ẑ = (‖z‖ − mean) / (deviation / h), within ±1; the target is cos(θ − m·ẑ) − m·(1 + ẑ). Mean and
    deviation are moving averages over batches; here they start at the first batch's.
    Source: Kim et al., "AdaFace", CVPR 2022, equations 12 to 15; h = 0.333, momentum 0.99.
    """

    margin = 0.4
    mean: Tensor
    deviation: Tensor
    batches: Tensor

    def __init__(
        self, classes: int, dimension: int, *, scale: float = 24.0, margin: float | None = None
    ) -> None:
        super().__init__(classes, dimension, scale=scale, margin=margin)
        self.concentration, self.momentum = 0.333, 0.99
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("deviation", torch.tensor(1.0))
        self.register_buffer("batches", torch.tensor(0))

    def penalised(self, target: Tensor, embeddings: Tensor) -> Tensor:
        """cos(θ − m·ẑ) − m·(1 + ẑ)."""
        length = embeddings.detach().norm(dim=1, keepdim=True).clamp(1e-3, 100)
        if self.training and len(length) > 1:
            self._observe(length)
        quality = ((length - self.mean) / (self.deviation + 1e-3) * self.concentration).clamp(-1, 1)
        angle = target.acos() - self.margin * quality
        turned: Tensor = angle.clamp(1e-3, math.pi - 1e-3).cos() - self.margin * (1 + quality)
        return turned

    def _observe(self, length: Tensor) -> None:
        kept = self.momentum if self.batches else 0.0
        self.mean.lerp_(length.mean(), 1 - kept)
        self.deviation.lerp_(length.std(), 1 - kept)
        self.batches += 1


class Triplet(Head):
    """Anchor nearer to a mate than to a stranger by a margin, semi-hard strangers of the batch.

    For each mated pair of the batch: of the strangers farther away than the mate the nearest; where
    there is none, the farthest of all. Distances are squared, between unit embeddings.
    Source: Schroff et al., "FaceNet", CVPR 2015, equations 1 and 4.
    """

    margin = 0.2

    def __init__(
        self, classes: int, dimension: int, *, scale: float = 24.0, margin: float | None = None
    ) -> None:
        """Only the margin counts; the rest is there to be built like the others."""
        super().__init__()
        if margin is not None:
            self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Mean over all mated pairs; 0 for a batch without a mated pair or without a stranger."""
        unit = functional.normalize(embeddings)
        distance = (2 - 2 * unit @ unit.T).clamp(min=0)
        same = labels[:, None] == labels[None]
        anchor, mate = torch.nonzero(
            same & ~torch.eye(len(labels), dtype=torch.bool), as_tuple=True
        )
        to_mate = distance[anchor, mate]
        strangers, to_others = ~same[anchor], distance[anchor]
        nobody = torch.full_like(to_others, math.inf)
        semi_hard = torch.where(strangers & (to_others > to_mate[:, None]), to_others, nobody)
        farthest = torch.where(strangers, to_others, -nobody).amax(1) if len(anchor) else to_mate
        nearest = semi_hard.amin(1) if len(anchor) else to_mate
        negative = torch.where(nearest.isfinite(), nearest, farthest)
        counted = negative.isfinite()
        losses = (to_mate - negative + self.margin).clamp(min=0)[counted]
        return losses.sum() / max(1, len(losses))


HEADS: Mapping[str, type[Softmax] | type[Triplet]] = {
    "softmax": Softmax,
    "arcface": ArcFace,
    "cosface": CosFace,
    "adaface": AdaFace,
    "triplet": Triplet,
}


class AdapterTraining(nn.Module):
    """Adapter and head, trained together; only the adapter is kept."""

    origin: Tensor

    def __init__(self, adapter: Adapter, head: Head, pull: float) -> None:
        """`adapter` stands where training begins; `pull` holds it near there."""
        super().__init__()
        self.adapter, self.head, self.pull = adapter, head, pull
        self.register_buffer("origin", adapter.matrix.detach().clone())

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """The head's loss plus `pull` times the adapter's drift from where it began."""
        loss: Tensor = self.head(self.adapter(embeddings), labels)
        return loss + self.pull * self.adapter.drift(self.origin)
