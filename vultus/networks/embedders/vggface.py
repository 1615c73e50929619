"""VGG-Face: VGG16 without norms, 224 px -> 4,096 numbers of its seventh layer, projected to fewer.

Simonyan and Zisserman, ICLR 2015, configuration D; Parkhi et al., "Deep Face Recognition", BMVC 2015:
section 4.4 learns the projection, on top of a network that was trained to tell people apart. Parts
are called conv1_1 … fc7, as in the published state dicts; their classifier fc8 is left out, and the
projection, which they lack, is trained.
"""

from torch import Tensor, nn
from torch.nn import functional

from vultus.networks.embedders.embedder import Embedder, first_weights, narrowed

SIDE = 224
DIMENSION = 512
_MEAN = (129.1863, 104.7624, 93.5940)
"""RGB, of the published network's training pictures."""
_STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Width and convolutions of each; every stage ends by halving the map."""
_HIDDEN = 4096


class VggFace(Embedder):
    """See the module; `width` multiplies every width, the two dense layers' too."""

    own_parts = ("dense", "mean")
    classifiers = ("fc8",)
    mean: Tensor

    def __init__(self, dimension: int = DIMENSION, side: int = SIDE, width: float = 1.0) -> None:
        super().__init__()
        self.dimension = dimension
        self.register_buffer("mean", Tensor(_MEAN).view(1, 3, 1, 1))
        inside = 3
        for stage, (base, layers) in enumerate(_STAGES, 1):
            for layer in range(1, layers + 1):
                outside = narrowed(base, width)
                self.add_module(f"conv{stage}_{layer}", nn.Conv2d(inside, outside, 3, 1, 1))
                inside = outside
        hidden = narrowed(_HIDDEN, width)
        self.fc6 = nn.Linear(inside * (side // 32) ** 2, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Linear(hidden, dimension)
        first_weights(self)

    def stages(self) -> list[nn.Module]:
        """Five stages of convolutions, the two dense layers, the projection."""
        five = [nn.ModuleList(self._convolutions(stage)) for stage in range(1, len(_STAGES) + 1)]
        return [*five, nn.ModuleList([self.fc6, self.fc7]), self.dense]

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        map_ = pixels - self.mean
        for stage in range(1, len(_STAGES) + 1):
            for layer in self._convolutions(stage):
                map_ = functional.relu(layer(map_))
            map_ = functional.max_pool2d(map_, 2)
        hidden = self.dropout(functional.relu(self.fc6(map_.flatten(1))))
        embedding: Tensor = self.dense(self.dropout(functional.relu(self.fc7(hidden))))
        return embedding

    def _convolutions(self, stage: int) -> list[nn.Module]:
        layers = range(1, _STAGES[stage - 1][1] + 1)
        return [self.get_submodule(f"conv{stage}_{layer}") for layer in layers]
