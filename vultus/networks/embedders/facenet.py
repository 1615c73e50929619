"""FaceNet: Inception-ResNet v1, 160 px -> 512 numbers.

Szegedy et al., "Inception-v4, Inception-ResNet", AAAI 2017, figures 10 to 15, as David Sandberg
trained it for faces: residuals scaled by 0.17, 0.10 and 0.20, 512 numbers instead of 128, norms with
an epsilon of 1e-3. Parts are called as in facenet-pytorch, so that its state dicts fit.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.embedders.embedder import Embedder, Size, first_weights

SIDE = 160
DIMENSION = 512
_MEAN, _SCALE = 127.5, 1 / 128
_EPSILON = 1e-3


class FaceNet(Embedder):
    """See the module; `dropout` is that before the dense layer."""

    classifiers = ("logits",)

    def __init__(self, dimension: int = DIMENSION, side: int = SIDE, dropout: float = 0.6) -> None:
        """`side`: 96 at least; the mean over the last map takes any."""
        super().__init__()
        self.dimension = dimension
        self.conv2d_1a = _Conv(3, 32, 3, 2)
        self.conv2d_2a = _Conv(32, 32, 3)
        self.conv2d_2b = _Conv(32, 64, 3, pad=1)
        self.conv2d_3b = _Conv(64, 80, 1)
        self.conv2d_4a = _Conv(80, 192, 3)
        self.conv2d_4b = _Conv(192, 256, 3, 2)
        self.repeat_1 = nn.Sequential(*(_block35() for _ in range(5)))
        self.mixed_6a = _Reduction(
            _Conv(256, 384, 3, 2),
            _chain(_Conv(256, 192, 1), _Conv(192, 192, 3, pad=1), _Conv(192, 256, 3, 2)),
        )
        self.repeat_2 = nn.Sequential(*(_block17() for _ in range(10)))
        self.mixed_7a = _Reduction(
            _chain(_Conv(896, 256, 1), _Conv(256, 384, 3, 2)),
            _chain(_Conv(896, 256, 1), _Conv(256, 256, 3, 2)),
            _chain(_Conv(896, 256, 1), _Conv(256, 256, 3, pad=1), _Conv(256, 256, 3, 2)),
        )
        self.repeat_3 = nn.Sequential(*(_block8(0.20) for _ in range(5)))
        self.block8 = _block8(1.0, bent=False)
        self.dropout = nn.Dropout(dropout)
        self.last_linear = nn.Linear(1792, dimension, bias=False)
        self.last_bn = nn.BatchNorm1d(dimension, eps=_EPSILON)
        first_weights(self)

    def stages(self) -> list[nn.Module]:
        """Stem, three sizes of inception blocks with what halves the map before them, the vector."""
        stem = [self.conv2d_1a, self.conv2d_2a, self.conv2d_2b]
        stem += [self.conv2d_3b, self.conv2d_4a, self.conv2d_4b]
        return [
            nn.ModuleList(stem),
            self.repeat_1,
            nn.ModuleList([self.mixed_6a, self.repeat_2]),
            nn.ModuleList([self.mixed_7a, self.repeat_3, self.block8]),
            nn.ModuleList([self.last_linear, self.last_bn]),
        ]

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        map_ = self.conv2d_2b(self.conv2d_2a(self.conv2d_1a((pixels - _MEAN) * _SCALE)))
        map_ = functional.max_pool2d(map_, 3, 2)
        map_ = self.repeat_1(self.conv2d_4b(self.conv2d_4a(self.conv2d_3b(map_))))
        map_ = self.repeat_2(self.mixed_6a(map_))
        map_ = self.block8(self.repeat_3(self.mixed_7a(map_)))
        embedding: Tensor = self.last_bn(self.last_linear(self.dropout(map_.mean((2, 3)))))
        return embedding


class _Conv(nn.Module):
    def __init__(
        self, inside: int, outside: int, kernel: Size, stride: int = 1, pad: Size = 0
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, pad, bias=False)
        self.bn = nn.BatchNorm2d(outside, eps=_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(features)))


class _Residual(nn.Module):
    """Branches side by side, joined by a 1×1 convolution, added at a small scale."""

    def __init__(
        self,
        branches: Sequence[nn.Module],
        joined: int,
        width: int,
        scale: float,
        bent: bool = True,
    ) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch)
        self.conv2d = nn.Conv2d(joined, width, 1)
        self.branches, self.scale, self.bent = len(branches), scale, bent

    def forward(self, features: Tensor) -> Tensor:
        found = _side_by_side(self, self.branches, features)
        out = self.conv2d(torch.cat(found, 1)) * self.scale + features
        return torch.relu(out) if self.bent else out


class _Reduction(nn.Module):
    """Branches that halve the map, and a maximum beside them."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(f"branch{number}", branch)
        self.branches = len(branches)

    def forward(self, features: Tensor) -> Tensor:
        pooled = functional.max_pool2d(features, 3, 2)
        return torch.cat([*_side_by_side(self, self.branches, features), pooled], 1)


def _side_by_side(module: nn.Module, count: int, features: Tensor) -> list[Tensor]:
    return [module.get_submodule(f"branch{number}")(features) for number in range(count)]


def _chain(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*layers)


def _block35() -> nn.Module:
    branches = (
        _Conv(256, 32, 1),
        _chain(_Conv(256, 32, 1), _Conv(32, 32, 3, pad=1)),
        _chain(_Conv(256, 32, 1), _Conv(32, 32, 3, pad=1), _Conv(32, 32, 3, pad=1)),
    )
    return _Residual(branches, 96, 256, 0.17)


def _block17() -> nn.Module:
    wide, tall = _Conv(128, 128, (1, 7), pad=(0, 3)), _Conv(128, 128, (7, 1), pad=(3, 0))
    return _Residual((_Conv(896, 128, 1), _chain(_Conv(896, 128, 1), wide, tall)), 256, 896, 0.10)


def _block8(scale: float, *, bent: bool = True) -> nn.Module:
    wide, tall = _Conv(192, 192, (1, 3), pad=(0, 1)), _Conv(192, 192, (3, 1), pad=(1, 0))
    branches = (_Conv(1792, 192, 1), _chain(_Conv(1792, 192, 1), wide, tall))
    return _Residual(branches, 384, 1792, scale, bent)
