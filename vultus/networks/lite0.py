"""EfficientNet-Lite0 up to its eleventh block, as a frozen describer of pictures.

What it learned on ImageNet tells recaptured pictures from others better than what a small network
learns from a few thousand simulated attacks, and it cannot learn the simulator. Names of the layers
are those of the packaged state dict, which is read as data.

Source: Tan and Le, EfficientNet, ICML 2019; the Lite family (TensorFlow, 2020) leaves out squeeze and
excitation and has ReLU6 for swish.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.errors import BadArtifact, WeightsUnavailable
from vultus.networks.state import read_state

SIDE = 112
TAPS = (4, 7, 10)
"""Blocks (from 0) after which the map is read."""
_STEM = 32
_BLOCKS = (
    (16, 3, 1), (24, 3, 2), (24, 3, 1), (40, 5, 2), (40, 5, 1), (80, 3, 2),
    (80, 3, 1), (80, 3, 1), (112, 5, 1), (112, 5, 1), (112, 5, 1),
)  # fmt: skip
"""Width, kernel and stride of each block; the sixteen of the full network begin with these."""
WIDTH = 2 * sum(_BLOCKS[tap][0] for tap in TAPS)
"""Length of a description: mean and deviation of each channel at the taps."""
_EPSILON = 1e-3


class Lite0(nn.Module):
    """float32 [N, 3, S, S], RGB, (pixel - 127.5) / 128 -> float32 [N, 464]; S a multiple of 16.

    Its batch norms never leave evaluation mode. The scale is TensorFlow's: on 100 photographs the first
    convolution then varies 0.94 times as much as its batch norm remembers, with torchvision's 4.5 times.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, _STEM, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(_STEM, eps=_EPSILON)
        blocks, width = [], _STEM
        for number, (wider, kernel, stride) in enumerate(_BLOCKS):
            blocks.append(_Block(width, wider, kernel, stride, expand=6 if number else 1))
            width = wider
        self._blocks = nn.ModuleList(blocks)
        self.requires_grad_(False)

    def train(self, mode: bool = True) -> "Lite0":
        """Stays in evaluation mode."""
        return super().train(False)

    def forward(self, crops: Tensor) -> Tensor:
        """Mean and standard deviation over the map after each tap."""
        return pooled(self.maps(crops))

    def maps(self, crops: Tensor) -> list[Tensor]:
        """The maps at the taps, float32 [N, C, H, W] each."""
        current = functional.relu6(self._bn0(_same(crops, self._conv_stem)))
        found = []
        for number, block in enumerate(self._blocks):
            current = block(current)
            if number in TAPS:
                found.append(current)
        return found


def pooled(maps: list[Tensor]) -> Tensor:
    """[N, C, H, W] each -> [N, 2 * sum of C]: mean and deviation of every channel."""
    parts = []
    for one in maps:
        mean = one.mean((2, 3), keepdim=True)
        spread = (one - mean).square().mean((2, 3))
        parts += [mean.flatten(1), (spread + 1e-6).sqrt()]
    return torch.cat(parts, dim=1)


def read_lite0(file: Path) -> Lite0:
    """The packaged weights of these blocks. Raises: WeightsUnavailable, for another file."""
    network = Lite0()
    wanted = network.state_dict()
    try:
        state = read_state(file)
        network.load_state_dict({name: state[name] for name in wanted})
    except (BadArtifact, KeyError, RuntimeError) as error:
        raise WeightsUnavailable(
            f"{file.name} is no EfficientNet-Lite0: {error}; type `vultus weights fetch lite0`"
        ) from error
    return network.eval()


class _Block(nn.Module):
    """Inverted bottleneck: widen, filter each channel, narrow; the input is added where it fits."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, *, expand: int) -> None:
        super().__init__()
        wide = inside * expand
        self.expands = expand > 1
        if self.expands:
            self._expand_conv = nn.Conv2d(inside, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=_EPSILON)
        self._project_conv = nn.Conv2d(wide, outside, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outside, eps=_EPSILON)
        self.adds = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        out = features
        if self.expands:
            out = functional.relu6(self._bn0(self._expand_conv(out)))
        out = functional.relu6(self._bn1(_same(out, self._depthwise_conv)))
        narrow: Tensor = self._bn2(self._project_conv(out))
        return narrow + features if self.adds else narrow


def _same(features: Tensor, convolution: nn.Conv2d) -> Tensor:
    """TensorFlow's padding "same" of an even side: a stride of two pads right and below first."""
    kernel, stride = convolution.kernel_size[0], convolution.stride[0]
    whole = kernel - stride
    before, after = whole // 2, whole - whole // 2
    out: Tensor = convolution(functional.pad(features, (before, after, before, after)))
    return out
