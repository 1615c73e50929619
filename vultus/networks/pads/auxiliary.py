"""Auxiliary heads of a PAD training: what else a network must tell, so that it learns to look.

They exist during training only; a Checkpoint holds the network without them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.pads.network import HybridPad, Seen
from vultus.networks.pads.spectrum import FftSpectrum

BONA_FIDE = 0


class Auxiliary(nn.Module, ABC):
    """One head: (crops, groups, what the network saw) -> its loss, a scalar."""

    @abstractmethod
    def forward(self, crops: Tensor, groups: Tensor, seen: Seen) -> Tensor:
        """Mean loss of a batch."""


class FourierHead(Auxiliary):
    """Guess the Fourier spectrum of the crops from the middle map; mean squared error.

    It teaches the pixels' half to keep the fine structure that pooling would throw away. Both
    spectra are standardised per picture: the head learns their shape, not the exposure.
    Source: Silent-Face-Anti-Spoofing of minivision-ai, whose networks are trained in this way.
    """

    def __init__(self, network: HybridPad, side: int, scales: int, kinds: int) -> None:
        super().__init__()
        branch = network.branch
        seen = branch is not None and isinstance(branch.spectrum, FftSpectrum)
        # Made once for both: a spectrum is a fifteenth of a training step of `compact`.
        self.spectrum = None if seen else FftSpectrum(side, scales)
        self.guess = nn.Conv2d(network.backbone.middle_width, scales, 1)

    def forward(self, crops: Tensor, groups: Tensor, seen: Seen) -> Tensor:
        """How far the guessed spectrum is from the true one."""
        guess = self.guess(seen.middle)
        truth = seen.spectrum if self.spectrum is None else self.spectrum(crops)
        assert truth is not None
        truth = functional.adaptive_avg_pool2d(truth, guess.shape[-2:])
        deviation = truth.std((2, 3), keepdim=True)
        truth = (truth - truth.mean((2, 3), keepdim=True)) / (deviation + 1e-3)
        return functional.mse_loss(guess, truth)


class PixelHead(Auxiliary):
    """Bona fide or attack at every place of the middle map; binary cross-entropy.

    Each place sees a part of the face alone and must find a cue there.
    Source: George and Marcel, "Deep pixel-wise binary supervision for face PAD", ICB 2019.
    """

    def __init__(self, network: HybridPad, side: int, scales: int, kinds: int) -> None:
        super().__init__()
        self.verdict = nn.Conv2d(network.backbone.middle_width, 1, 1)

    def forward(self, crops: Tensor, groups: Tensor, seen: Seen) -> Tensor:
        """Mean over places and pictures."""
        verdict = self.verdict(seen.middle)
        truth = (groups == BONA_FIDE).to(verdict.dtype).view(-1, 1, 1, 1).expand_as(verdict)
        return functional.binary_cross_entropy_with_logits(verdict, truth)


class SpeciesHead(Auxiliary):
    """Which PAI species, or bona fide; cross-entropy over all groups."""

    def __init__(self, network: HybridPad, side: int, scales: int, kinds: int) -> None:
        super().__init__()
        self.species = nn.Linear(network.width, kinds)

    def forward(self, crops: Tensor, groups: Tensor, seen: Seen) -> Tensor:
        """Mean over pictures."""
        return functional.cross_entropy(self.species(seen.joined), groups)


HEADS: Mapping[str, Callable[[HybridPad, int, int, int], Auxiliary]] = {
    "fourier": FourierHead,
    "pixel": PixelHead,
    "species": SpeciesHead,
}
"""Name -> head, given the network, side, number of scales and number of groups."""


class PadTraining(nn.Module):
    """A network and its auxiliary heads, trained together; only the network is kept."""

    def __init__(
        self, network: HybridPad, names: tuple[str, ...], *, side: int, scales: int, kinds: int
    ) -> None:
        """Args: names: of HEADS; kinds: groups there can be, bona fide included."""
        super().__init__()
        self.network = network
        self.heads = nn.ModuleDict(
            {name: HEADS[name](network, side, scales, kinds) for name in names}
        )

    def forward(self, crops: Tensor) -> Tensor:
        """float32 [N, 3K, S, S] -> float32 [N], logit of bona fide."""
        logit: Tensor = self.network(crops)
        return logit

    def training_outputs(self, crops: Tensor, groups: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Logit [N], and the loss of each head by its name; see PadNetwork."""
        seen = self.network.look(crops)
        losses: dict[str, Tensor] = {
            name: head(crops, groups, seen) for name, head in self.heads.items()
        }
        return seen.logit, losses
