"""IR-18 and IR-50, the ResNets of face recognition: 112 px -> 512 numbers.

Blocks with a norm first and PReLU inside, no pooling before the first stage, a dense layer over the
whole last map (Deng et al., "ArcFace", CVPR 2019, section 3.2.2). Parts are called as in the authors'
reference code, so that its published state dicts fit.
"""

from torch import Tensor, nn

from vultus.networks.embedders.embedder import Embedder, convolution, first_weights, narrowed

SIDE = 112
DIMENSION = 512
_HALF = 127.5
_WIDTHS = (64, 128, 256, 512)
_DEPTHS = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3)}


class Ir(Embedder):
    """See the module; `depth` is 18 or 50, `width` multiplies every width."""

    def __init__(
        self, depth: int, dimension: int = DIMENSION, side: int = SIDE, width: float = 1.0
    ) -> None:
        super().__init__()
        self.dimension = dimension
        widths = [narrowed(each, width) for each in _WIDTHS]
        inside = widths[0]
        self.conv1 = nn.Conv2d(3, inside, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inside)
        self.prelu = nn.PReLU(inside)
        for number, (outside, blocks) in enumerate(zip(widths, _DEPTHS[depth], strict=True), 1):
            stage = [_Block(inside, outside, 2)]
            stage += [_Block(outside, outside, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
            inside = outside
        self.bn2 = nn.BatchNorm2d(inside)
        self.fc = nn.Linear(inside * (side // 16) ** 2, dimension)
        self.features = nn.BatchNorm1d(dimension)
        first_weights(self)

    def stages(self) -> list[nn.Module]:
        """Stem, four stages, and what makes a vector of the map."""
        stem = nn.ModuleList([self.conv1, self.bn1, self.prelu])
        layers = [self.get_submodule(f"layer{number}") for number in range(1, 5)]
        return [stem, *layers, nn.ModuleList([self.bn2, self.fc, self.features])]

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        map_ = self.prelu(self.bn1(self.conv1((pixels - _HALF) / _HALF)))
        for layer in self.stages()[1:5]:
            map_ = layer(map_)
        embedding: Tensor = self.features(self.fc(self.bn2(map_).flatten(1)))
        return embedding


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.prelu = nn.PReLU(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.downsample = nn.Sequential()  # without layers it is the identity
        if stride > 1 or inside != outside:
            self.downsample = nn.Sequential(*convolution(inside, outside, 1, stride))

    def forward(self, features: Tensor) -> Tensor:
        found = self.prelu(self.bn2(self.conv1(self.bn1(features))))
        out: Tensor = self.bn3(self.conv2(found)) + self.downsample(features)
        return out
