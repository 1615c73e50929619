"""dlib's face ResNet, the fast packaged embedder, as a torch module: 150 px RGB 0–255 -> 128 numbers.

ResNet-34 (He et al., CVPR 2016) with half the filters and fewer layers, trained by Davis King with a
metric loss on about three million faces (dlib_face_recognition_resnet_model_v1, 2017, CC0). Where a
block halves the map, its shortcut is an average pool with channels of zeros, and the smaller of both
maps is filled up with zeros on the right and at the bottom. Every affine layer of the file is folded
into the convolution before it, the mean of the input into the first one: the trunk stays frozen here.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vultus.contracts.transform import ChipWindow
from vultus.errors import BadArtifact
from vultus.networks.dlib_file import DlibLayer, DlibNetwork, read_dlib
from vultus.networks.trunk import Trunk

Array64 = NDArray[np.float64]

SIDE = 150
DIMENSION = 128
WINDOW = ChipWindow(left=6.0, top=21.5, side=100.4)
"""Where dlib's own chip (150 px, padding 0.25) lies in ours: the median over 60 rendered people, aligned
by dlib's detector and 68-point predictor on one side, by our landmarks on the other. On real pairs the
EER was 2.9 % here and lay between 2.8 and 3.0 % down to 4 px lower, but at 4.5 % 5 px higher."""
_STEM = 32
_SCALE = 1 / 256
_BLOCKS = (
    (32, 1), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1),
    (128, 2), (128, 1), (128, 1), (256, 2), (256, 1), (256, 1), (256, 2),
)  # fmt: skip
"""Width and stride of each block of two convolutions."""


class ResNet29(Trunk):
    """float32 [N, 3, 150, 150], RGB 0–255 -> float32 [N, 128], not of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, _STEM, 7, 2)
        widths = [_STEM, *(width for width, _ in _BLOCKS)]
        self.blocks = nn.Sequential(
            *(_Block(inside, *block) for inside, block in zip(widths, _BLOCKS, strict=False))
        )
        self.dense = nn.Linear(widths[-1], DIMENSION, bias=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        features = functional.max_pool2d(torch.relu(self.stem(pixels)), 3, 2)
        embedding: Tensor = self.dense(self.blocks(features).mean((2, 3)))
        return embedding


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inside, outside, 3, stride, 1 if stride == 1 else 0)
        self.second = nn.Conv2d(outside, outside, 3, 1, 1)
        self.stride = stride

    def forward(self, features: Tensor) -> Tensor:
        found: Tensor = self.second(torch.relu(self.first(features)))
        if self.stride == 1:
            return torch.relu(found + features)
        shortcut = functional.avg_pool2d(features, self.stride)
        both = zip(found.shape[1:], shortcut.shape[1:], strict=True)
        size = [max(pair) for pair in both]
        return torch.relu(_filled(found, size) + _filled(shortcut, size))


def _filled(features: Tensor, size: Sequence[int]) -> Tensor:
    """Zeros behind the last channel, row and column, up to `size` = channels, rows, columns."""
    missing = [wanted - given for wanted, given in zip(size, features.shape[1:], strict=True)]
    if not any(missing):
        return features
    channels, rows, columns = missing
    return functional.pad(features, (0, columns, 0, rows, 0, channels))


def read_resnet29(file: Path) -> ResNet29:
    """The module with the weights of dlib's file, in evaluation mode, frozen.

    Raises: BadArtifact, if the file is no dlib network or another one.
    """
    written = read_dlib(file)
    found = (written.side, [(layer.kind, layer.sizes) for layer in written.layers])
    if found != (SIDE, list(_expected())):
        raise BadArtifact(f"{file} is a network of dlib, but not its face ResNet-29")
    network = ResNet29()
    try:
        network.load_state_dict(_state(network, written))
    except (RuntimeError, ValueError) as error:
        raise BadArtifact(f"{file} is no face ResNet-29: {error}") from error
    return network.eval().requires_grad_(False)


def _expected() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Kind and sizes of every layer, in the order of the file."""
    yield from (("con_4", (_STEM, 7, 7, 2, 2, 0, 0)), _AFFINE, _RELU)
    yield ("max_pool_2", (3, 3, 2, 2, 0, 0))
    for width, stride in _BLOCKS:
        padding = 1 if stride == 1 else 0
        yield from (("con_4", (width, 3, 3, stride, stride, padding, padding)), _AFFINE, _RELU)
        yield from (("con_4", (width, 3, 3, 1, 1, 1, 1)), _AFFINE)
        if stride > 1:
            yield ("avg_pool_2", (stride, stride, stride, stride, 0, 0))
        yield from (("add_prev_", ()), _RELU)
    yield ("avg_pool_2", (0, 0, 1, 1, 0, 0))
    yield ("fc_2", (DIMENSION, _BLOCKS[-1][0]))


_AFFINE, _RELU = ("affine_", (0,)), ("relu_", ())


def _state(network: ResNet29, written: DlibNetwork) -> dict[str, Tensor]:
    """The file's numbers under the module's names; convolutions come in the same order in both."""
    modules = {n: m for n, m in network.named_modules() if isinstance(m, nn.Conv2d)}
    pairs = [pair for pair in pairwise(written.layers) if pair[0].kind == "con_4"]
    state = {}
    for (name, module), (convolution, affine) in zip(modules.items(), pairs, strict=True):
        weight, bias = _folded(convolution, affine)
        if name == "stem":  # (pixel - mean) / 256 goes before it, and it has no padding
            bias -= weight.reshape(len(weight), 3, -1).sum(2) @ (np.array(written.mean) * _SCALE)
            weight *= _SCALE
        state[f"{name}.weight"] = torch.from_numpy(weight).float().view_as(module.weight)
        state[f"{name}.bias"] = torch.from_numpy(bias).float()
    dense = written.layers[-1]
    state["dense.weight"] = torch.from_numpy(dense.params.reshape(dense.sizes[::-1]).T)
    return state


def _folded(convolution: DlibLayer, affine: DlibLayer) -> tuple[Array64, Array64]:
    """Filters [outside, inside · rows · columns] and biases with the affine layer in them."""
    filters = convolution.sizes[0]
    params = convolution.params.astype(np.float64)
    weight, bias = params[:-filters].reshape(filters, -1), params[-filters:]
    gamma, beta = affine.params.astype(np.float64).reshape(2, filters)
    return weight * gamma[:, None], bias * gamma + beta
