"""A PAD network: backbone, perhaps a frequency branch, one dense layer; the zoo is what combines."""

from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from vultus.networks.pads.backbone import Backbone
from vultus.networks.pads.spectrum import SpectrumBranch


@runtime_checkable
class PadNetwork(Protocol):
    """What a PAD training needs of a network."""

    def __call__(self, crops: Tensor) -> Tensor:
        """float32 [N, 3K, S, S], (pixel − 127.5) / 128 -> float32 [N], logit of bona fide."""

    def training_outputs(self, crops: Tensor, groups: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logit [N], and the loss of each auxiliary head by its name.

        Args: groups: int64 [N], 0 = bona fide, above it the PAI species.
        """


class Seen(NamedTuple):
    """float32: logit [N], middle map [N, C, h, w], what the dense layer reads [N, D], and the spectrum
    [N, K, 16, 16] that the frequency branch was shown, where there is one."""

    logit: Tensor
    middle: Tensor
    joined: Tensor
    spectrum: Tensor | None


class HybridPad(nn.Module):
    """float32 [N, 3K, S, S], (pixel − 127.5) / 128 -> float32 [N], logit of bona fide."""

    def __init__(
        self, backbone: Backbone, branch: SpectrumBranch | None, *, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.branch = branch
        self.width = backbone.pooled_width + (branch.width if branch else 0)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(self.width, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Logit of bona fide; higher = more bona fide."""
        return self.look(crops).logit

    def look(self, crops: Tensor) -> Seen:
        """The logit, and what auxiliary heads read."""
        middle, joined = self.backbone(crops)
        spectrum = None
        if self.branch is not None:
            spectrum = self.branch.spectrum(crops)
            joined = torch.cat([joined, self.branch(spectrum)], dim=1)
        joined = self.dropout(joined)
        return Seen(self.classifier(joined).squeeze(1), middle, joined, spectrum)
