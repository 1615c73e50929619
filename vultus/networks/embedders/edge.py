"""An edge recogniser: 112 px -> 128 numbers, 0.8 million parameters, ReLU throughout.

Written for this product after MobileFaceNet (Chen et al., CCBR 2018: inverted residuals, a global
depthwise convolution instead of a mean) and EdgeFace (George et al., TBIOM 2024: under two million
parameters, most of them where the map is small, a dense layer of low rank). Attention and GELU are
left out and ReLU stands where those have PReLU: that is what ONNX Runtime keeps in its blocked layout.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from vultus.networks.embedders.embedder import Embedder, convolution, first_weights, narrowed

SIDE = 112
DIMENSION = 128
_MEAN, _SCALE = 127.5, 1 / 128
_STEM = 24
_STAGES = ((40, 3, 2), (96, 6, 2), (160, 4, 2))
"""Width, blocks and expansion; the first block of each halves the map: 28, 14 and 7 px."""
_WIDE = 512


class Edge(Embedder):
    """See the module; `width` multiplies every width."""

    def __init__(self, dimension: int = DIMENSION, side: int = SIDE, width: float = 1.0) -> None:
        super().__init__()
        self.dimension = dimension
        stem, wide = narrowed(_STEM, width), narrowed(_WIDE, width)
        self.stem = nn.Sequential(
            *convolution(3, stem, 3, 2),
            nn.ReLU(),
            *convolution(stem, stem, 3, groups=stem),
            nn.ReLU(),
        )
        self.body = nn.Sequential()
        inside = stem
        for base, blocks, expansion in _STAGES:
            outside = narrowed(base, width)
            stage = [InvertedResidual(inside, outside, 2, expansion + (inside != stem))]
            stage += [InvertedResidual(outside, outside, 1, expansion) for _ in range(blocks - 1)]
            self.body.append(nn.Sequential(*stage))
            inside = outside
        self.head = nn.Sequential(
            *convolution(inside, wide, 1),
            nn.ReLU(),
            *convolution(wide, wide, side // 16, groups=wide, pad=0),
            nn.Flatten(),
        )
        self.dense = nn.Linear(wide, dimension)
        first_weights(self)

    def stages(self) -> list[nn.Module]:
        """Stem, three stages, and what makes a vector of the map."""
        return [self.stem, *self.body, nn.ModuleList([self.head, self.dense])]

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        embedding: Tensor = self.dense(self.head(self.body(self.stem((pixels - _MEAN) * _SCALE))))
        return embedding


class InvertedResidual(nn.Module):
    """Widen, filter each channel, narrow (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(
        self,
        inside: int,
        outside: int,
        stride: int,
        expansion: int,
        bends: Sequence[nn.Module] | None = None,
    ) -> None:
        """`bends`: the two non-linearities, ReLU where nothing is given."""
        super().__init__()
        middle = inside * expansion
        first, second = bends or (nn.ReLU(), nn.ReLU())
        self.layers = nn.Sequential(
            *convolution(inside, middle, 1),
            first,
            *convolution(middle, middle, 3, stride, groups=middle),
            second,
            *convolution(middle, outside, 1),
        )
        self.residual = stride == 1 and inside == outside

    def forward(self, features: Tensor) -> Tensor:
        """float32 [N, inside, H, W] -> [N, outside, H / stride, W / stride]."""
        found: Tensor = self.layers(features)
        return found + features if self.residual else found
