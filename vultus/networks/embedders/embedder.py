"""What every embedder that is trained whole shares: stages that can be frozen, and first weights."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Self

from torch import Tensor, nn
from torch.nn import functional

Size = int | tuple[int, int]


class Embedder(nn.Module, ABC):
    """float32 [N, 3, S, S], RGB 0–255 -> float32 [N, D], not of unit length."""

    dimension: int
    own_parts: Sequence[str] = ()
    """Parts that published weights lack; they keep their first weights."""
    classifiers: Sequence[str] = ()
    """Parts of published weights that only their training needed."""
    _still: Sequence[nn.Module] = ()

    @abstractmethod
    def stages(self) -> list[nn.Module]:
        """The parts in the order in which a picture passes them; the last one gives the embedding."""

    def translated(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published weights under this network's names, without their classifier."""
        return {k: v for k, v in state.items() if k.partition(".")[0] not in self.classifiers}

    def freeze(self, count: int) -> None:
        """Keep the first `count` stages as they are, the running statistics of their norms too."""
        self._still = tuple(self.stages()[:count])
        for stage in self._still:
            stage.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Training mode for all but the frozen stages."""
        super().train(mode)
        for stage in self._still:
            stage.train(False)
        return self


class UnitEmbedder(nn.Module):
    """An embedder with unit length: the form that is kept, evaluated and exported."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder

    def forward(self, pixels: Tensor) -> Tensor:
        """float32 [N, 3, S, S], RGB 0–255 -> float32 [N, D], unit length."""
        return functional.normalize(self.embedder(pixels))


def convolution(
    inside: int,
    outside: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    pad: int | None = None,
) -> list[nn.Module]:
    """A convolution without bias and its batch norm."""
    padding = kernel // 2 if pad is None else pad
    return [
        nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]


def first_weights(network: nn.Module) -> None:
    """Kaiming's start for convolutions and dense layers (He et al., ICCV 2015), norms at 1 and 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def narrowed(channels: int, width: float) -> int:
    """A share of the channels, a multiple of 8, 16 at least.

    Narrower PReLU networks end the process in the backward pass of torch 2.14.1 (channels last).
    """
    return max(16, 8 * round(channels * width / 8))
