"""Our own small PAD backbone: depthwise-separable blocks, 0.15 million parameters."""

from torch import Tensor, nn

from vultus.networks.pads.backbone import Backbone, Features, mean_and_spread
from vultus.networks.pads.layers import convolution

_STEM = 24
_BLOCKS = ((48, 2), (64, 1), (96, 2), (128, 1), (128, 1), (192, 2), (192, 1), (192, 1))
"""Width and stride of the depthwise-separable blocks."""
_MIDDLE = 5
"""After how many blocks auxiliary heads read: an eighth of the side."""


class Compact(Backbone):
    """A convolution and eight separable blocks; the middle map has an eighth of the side."""

    middle_width = _BLOCKS[_MIDDLE - 1][0]
    pooled_width = 2 * _BLOCKS[-1][0]

    def __init__(self, scales: int) -> None:
        super().__init__()
        self.stem = convolution(3 * scales, _STEM, 3, 2)
        blocks, width = [], _STEM
        for wider, stride in _BLOCKS:
            blocks.append(_Separable(width, wider, stride))
            width = wider
        self.blocks = nn.ModuleList(blocks)

    def forward(self, crops: Tensor) -> Features:
        """The map after five blocks, and the last one pooled."""
        current = self.stem(crops)
        for block in self.blocks[:_MIDDLE]:
            current = block(current)
        middle = current
        for block in self.blocks[_MIDDLE:]:
            current = block(current)
        return Features(middle, mean_and_spread(current))


class _Separable(nn.Module):
    """Depthwise 3×3, pointwise, each with BatchNorm and ReLU; the input is added where it fits."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.depthwise = convolution(inside, inside, 3, stride, inside)
        self.pointwise = convolution(inside, outside, 1, 1)
        self.adds = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.depthwise(features))
        return out + features if self.adds else out
