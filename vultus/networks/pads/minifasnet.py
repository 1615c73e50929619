"""MiniFASNet, the pair of small PAD networks that DeepFace uses (Minivision, Silent-Face-Anti-Spoofing),
and one of their kind to be trained.

Bottlenecks (1 x 1, depthwise, 1 x 1) with PReLU; V2 without, V1SE with a squeeze-and-excitation gate in
the last bottleneck of each stage. The published widths were pruned block by block, so they are read
from the file's own shapes; `load_state_dict(strict=True)` then proves that nothing is left over. The
one to be trained is built from shapes of our own in the same way.
"""

from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path

import torch
from torch import Tensor, nn

from vultus.errors import BadArtifact, WeightsUnavailable
from vultus.networks.graph import write_onnx
from vultus.networks.pads.backbone import Backbone, Features
from vultus.networks.state import read_state

SIDE = 80
_STRIDE = 16
_STEM, _SEPARATE, _EMBEDDING = 32, 512, 128
_STAGES = (  # name, blocks, hidden width of the way down and of the blocks, width that comes out
    ("conv_23", "conv_3", 4, 96, 32, 64),
    ("conv_34", "conv_4", 6, 192, 48, 128),
    ("conv_45", "conv_5", 2, 256, 64, 128),
)
"""Of the one to be trained: even widths, where the published ones were pruned."""

State = Mapping[str, Tensor]


class MiniFasTrunk(nn.Module):
    """float32 [N, C, S, S] -> the map of the second stage and an embedding, each as `state` has it."""

    def __init__(self, state: State) -> None:
        """Build what fits the shapes of `state`; names are those of the published files."""
        super().__init__()
        self.conv1 = _Unit(state, "conv1", stride=2)
        self.conv2_dw = _Unit(state, "conv2_dw")
        self.conv_23 = _Bottleneck(state, "conv_23", stride=2)
        self.conv_3 = _Stage(state, "conv_3")
        self.conv_34 = _Bottleneck(state, "conv_34", stride=2)
        self.conv_4 = _Stage(state, "conv_4")
        self.conv_45 = _Bottleneck(state, "conv_45", stride=2)
        self.conv_5 = _Stage(state, "conv_5")
        self.conv_6_sep = _Unit(state, "conv_6_sep")
        self.conv_6_dw = _Unit(state, "conv_6_dw", padding=0)
        self.linear = _dense(state, "linear")
        self.bn = nn.BatchNorm1d(len(state["bn.weight"]))

    def features(self, crops: Tensor) -> Features:
        """The map at an eighth of the side, and the embedding."""
        current = self.conv2_dw(self.conv1(crops))
        current = self.conv_3(self.conv_23(current))
        middle = self.conv_4(self.conv_34(current))
        current = self.conv_5(self.conv_45(middle))
        current = self.conv_6_dw(self.conv_6_sep(current)).flatten(1)
        return Features(middle, self.bn(self.linear(current)))


class MiniFasNet(MiniFasTrunk):
    """BGR 0..255, float32 [N, 3, 80, 80] -> logits [N, 3]; column 1 is bona fide."""

    def __init__(self, state: State) -> None:
        """As published: the trunk and a dense layer."""
        super().__init__(state)
        self.prob = _dense(state, "prob")

    def forward(self, crops: Tensor) -> Tensor:
        """Logits [N, 3] of one crop each."""
        logits: Tensor = self.prob(self.features(crops).pooled)
        return logits


class MiniFas(Backbone):
    """One of their kind to be trained: V1SE's layers, even widths, any number of scales."""

    middle_width = _STAGES[1][-1]
    pooled_width = _EMBEDDING

    def __init__(self, side: int, scales: int) -> None:
        super().__init__()
        self.trunk = MiniFasTrunk(_shapes(side, scales))

    def forward(self, crops: Tensor) -> Features:
        """The map of the second stage, and the embedding."""
        return self.trunk.features(crops)


class FasNetPair(nn.Module):
    """Both networks as one member: crops [N, 6, 80, 80] -> log of their mean softmax [N, 3].

    A softmax over that answer gives the mean probabilities back, as DeepFace reports them.
    """

    def __init__(self, first: MiniFasNet, second: MiniFasNet) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, crops: Tensor) -> Tensor:
        """Log of the mean probabilities [N, 3]."""
        near = torch.softmax(self.first(crops[:, :3]), dim=1)
        far = torch.softmax(self.second(crops[:, 3:]), dim=1)
        return torch.log(torch.clamp((near + far) / 2, min=1e-30))


def read_pair(first: Path, second: Path) -> FasNetPair:
    """The pair from its two published files, in evaluation mode; no code of theirs is run.

    Raises: WeightsUnavailable, if a file is no MiniFASNet.
    """
    return FasNetPair(_read(first), _read(second)).eval()


def write_pair(first: Path, second: Path, target: Path) -> None:
    """The pair as one ONNX: any batch of crops, output as `FasNetPair` answers.

    Raises: WeightsUnavailable, if a file is no MiniFASNet.
    """
    write_onnx(read_pair(first, second), torch.zeros(2, 6, SIDE, SIDE), "log_probability", target)


def _read(file: Path) -> MiniFasNet:
    try:
        state = read_state(file)
        network = MiniFasNet(state)
        network.load_state_dict(state)
    except (BadArtifact, KeyError, RuntimeError, ValueError) as error:
        raise WeightsUnavailable(
            f"{file.name} is no MiniFASNet: {error}; fetch it again from its publisher"
        ) from error
    return network


class _Unit(nn.Module):
    """Convolution, batch norm and, where the file has slopes, PReLU."""

    def __init__(
        self, state: State, name: str, *, stride: int = 1, padding: int | None = None
    ) -> None:
        super().__init__()
        width, inlet, side, _ = state[f"{name}.conv.weight"].shape
        depthwise = inlet == 1
        self.conv = nn.Conv2d(
            width if depthwise else inlet,
            width,
            side,
            stride=stride,
            padding=side // 2 if padding is None else padding,
            groups=width if depthwise else 1,
            bias=False,
        )
        self.bn = nn.BatchNorm2d(width)
        bent = f"{name}.prelu.weight" in state
        self.prelu: nn.Module = nn.PReLU(width) if bent else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.prelu(self.bn(self.conv(features)))
        return out


class _Bottleneck(nn.Module):
    def __init__(self, state: State, name: str, *, stride: int = 1, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        self.conv = _Unit(state, f"{name}.conv")
        self.conv_dw = _Unit(state, f"{name}.conv_dw", stride=stride)
        self.project = _Unit(state, f"{name}.project")
        gated = f"{name}.se_module.fc1.weight" in state
        self.se_module: nn.Module = _Gate(state, f"{name}.se_module") if gated else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.se_module(self.project(self.conv_dw(self.conv(features))))
        return features + out if self.residual else out


class _Stage(nn.Module):
    """As many residual bottlenecks as the file has."""

    def __init__(self, state: State, name: str) -> None:
        super().__init__()
        names = takewhile(
            lambda block: f"{block}.conv.conv.weight" in state,
            (f"{name}.model.{index}" for index in count()),
        )
        self.model = nn.Sequential(*(_Bottleneck(state, block, residual=True) for block in names))

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.model(features)
        return out


class _Gate(nn.Module):
    """Squeeze and excitation: each channel times a share of itself, read from all channels' means."""

    def __init__(self, state: State, name: str) -> None:
        super().__init__()
        fewer, width = state[f"{name}.fc1.weight"].shape[:2]
        self.fc1 = nn.Conv2d(width, fewer, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(fewer)
        self.fc2 = nn.Conv2d(fewer, width, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, features: Tensor) -> Tensor:
        means = features.mean(dim=(2, 3), keepdim=True)
        hidden = torch.relu(self.bn1(self.fc1(means)))
        return features * torch.sigmoid(self.bn2(self.fc2(hidden)))


def _dense(state: State, name: str) -> nn.Linear:
    width, inlet = state[f"{name}.weight"].shape
    return nn.Linear(inlet, width, bias=False)


def _shapes(side: int, scales: int) -> dict[str, Tensor]:
    """Weights without content: what MiniFasTrunk reads the shapes of the one to be trained from."""
    shapes: dict[str, tuple[int, ...]] = {}

    def unit(name: str, *shape: int, bent: bool = True) -> None:
        shapes[f"{name}.conv.weight"] = shape
        if bent:
            shapes[f"{name}.prelu.weight"] = shape[:1]

    def bottleneck(name: str, inside: int, hidden: int, outside: int) -> None:
        unit(f"{name}.conv", hidden, inside, 1, 1)
        unit(f"{name}.conv_dw", hidden, 1, 3, 3)
        unit(f"{name}.project", outside, hidden, 1, 1, bent=False)

    unit("conv1", _STEM, 3 * scales, 3, 3)
    unit("conv2_dw", _STEM, 1, 3, 3)
    width = _STEM
    for down, stage, blocks, wide, hidden, outside in _STAGES:
        bottleneck(down, width, wide, outside)
        width = outside
        for index in range(blocks):
            bottleneck(f"{stage}.model.{index}", width, hidden, width)
        gate = f"{stage}.model.{blocks - 1}.se_module"
        shapes[f"{gate}.fc1.weight"] = (width // 4, width, 1, 1)
    unit("conv_6_sep", _SEPARATE, width, 1, 1)
    unit("conv_6_dw", _SEPARATE, 1, side // _STRIDE, side // _STRIDE, bent=False)
    shapes["linear.weight"] = (_EMBEDDING, _SEPARATE)
    shapes["bn.weight"] = (_EMBEDDING,)
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
