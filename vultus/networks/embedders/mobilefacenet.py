"""MobileFaceNet: 112 px -> 128 numbers, 1.0 million parameters.

Chen et al., "MobileFaceNets", CCBR 2018, table 1: inverted residuals with PReLU, and a global
depthwise convolution instead of a mean, so that the corners of a face may count less than its middle.
"""

from torch import Tensor, nn

from vultus.networks.embedders.edge import InvertedResidual
from vultus.networks.embedders.embedder import Embedder, convolution, first_weights, narrowed

SIDE = 112
DIMENSION = 128
_MEAN, _SCALE = 127.5, 1 / 128
_STEM, _WIDE = 64, 512
_STAGES = (
    ((64, 5, 2, 2),),
    ((128, 1, 2, 4), (128, 6, 1, 2)),
    ((128, 1, 2, 4), (128, 2, 1, 2)),
)
"""Rows of the table by map size, 28, 14 and 7 px: width, repeats, stride of the first, expansion."""


class MobileFaceNet(Embedder):
    """See the module; `width` multiplies every width."""

    def __init__(self, dimension: int = DIMENSION, side: int = SIDE, width: float = 1.0) -> None:
        super().__init__()
        self.dimension = dimension
        stem, wide = narrowed(_STEM, width), narrowed(_WIDE, width)
        self.stem = nn.Sequential(
            *convolution(3, stem, 3, 2),
            nn.PReLU(stem),
            *convolution(stem, stem, 3, groups=stem),
            nn.PReLU(stem),
        )
        self.body = nn.Sequential()
        inside = stem
        for rows in _STAGES:
            stage: list[nn.Module] = []
            for base, repeats, first_stride, expansion in rows:
                outside = narrowed(base, width)
                for number in range(repeats):
                    stride = first_stride if number == 0 else 1
                    bends = [nn.PReLU(inside * expansion) for _ in range(2)]
                    stage.append(InvertedResidual(inside, outside, stride, expansion, bends))
                    inside = outside
            self.body.append(nn.Sequential(*stage))
        self.head = nn.Sequential(
            *convolution(inside, wide, 1),
            nn.PReLU(wide),
            *convolution(wide, wide, side // 16, groups=wide, pad=0),
            nn.Flatten(),
        )
        self.dense = nn.Linear(wide, dimension, bias=False)
        self.norm = nn.BatchNorm1d(dimension)
        first_weights(self)

    def stages(self) -> list[nn.Module]:
        """Stem, three stages, and what makes a vector of the map."""
        return [self.stem, *self.body, nn.ModuleList([self.head, self.dense, self.norm])]

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        map_ = self.body(self.stem((pixels - _MEAN) * _SCALE))
        embedding: Tensor = self.norm(self.dense(self.head(map_)))
        return embedding
