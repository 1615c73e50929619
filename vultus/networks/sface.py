"""SFace, the packaged embedder, as a torch module: 112 px RGB 0–255 -> 128 numbers.

A MobileNetV1 body with PReLU, trained with the sigmoid-constrained hypersphere loss (Zhong et al.,
"SFace", IEEE Transactions on Image Processing 2021; file of the OpenCV Zoo, 2021dec, Apache-2.0).
The weights are read from its float32 ONNX. Every BatchNorm of that graph is folded into the
convolution before it, the one before the dense layer into that layer: the trunk stays frozen here,
and a folded one is faster and has nothing that could drift in training mode.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from vultus.errors import BadArtifact
from vultus.networks.trunk import Trunk

SIDE = 112
DIMENSION = 128
_MEAN, _SCALE = 127.5, 1 / 128
_STEM = 32
_BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
    (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip
"""Width and stride of each depthwise-separable block."""
_MAP = SIDE // 16
_SILENT = {"Constant", "Dropout", "Flatten", "Identity", "Reshape"}

Array = NDArray[np.float32]


class SFace(Trunk):
    """float32 [N, 3, 112, 112], RGB 0–255 -> float32 [N, 128], not yet of unit length."""

    def __init__(self) -> None:
        super().__init__()
        layers = [_Convolution(3, _STEM, 3, 1, 1)]
        width = _STEM
        for wider, stride in _BLOCKS:
            layers += [
                _Convolution(width, width, 3, stride, width),
                _Convolution(width, wider, 1, 1, 1),
            ]
            width = wider
        self.body = nn.Sequential(*layers)
        self.dense = nn.Linear(width * _MAP * _MAP, DIMENSION)

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed a batch."""
        features: Tensor = self.body((pixels - _MEAN) * _SCALE)
        embedding: Tensor = self.dense(features.flatten(1))
        return embedding


class _Convolution(nn.Module):
    def __init__(self, inside: int, outside: int, kernel: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups)
        self.slope = nn.PReLU(outside)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.slope(self.conv(features))
        return out


def read_sface(file: Path) -> SFace:
    """The module with the weights of an SFace ONNX file, in evaluation mode, frozen.

    Raises: BadArtifact, if the file is no float32 SFace graph; the message names the node.
    """
    try:
        graph = onnx.load(file).graph
    except (OSError, ValueError) as error:
        raise BadArtifact(f"{file} cannot be read as ONNX: {error}") from error
    except Exception as error:  # protobuf's DecodeError has no public base class
        raise BadArtifact(f"{file} is no ONNX file: {error}") from error
    network = SFace()
    try:
        network.load_state_dict(_state(_layers(graph, file)))
    except RuntimeError as error:
        raise BadArtifact(f"{file} is no SFace: {error}") from error
    return network.eval().requires_grad_(False)


@dataclass(frozen=True)
class _Layer:
    """One convolution or the dense layer, with what the graph applies before and after it."""

    weight: Array
    bias: Array
    slope: Array | None = None

    def then(self, scale: Array, shift: Array) -> "_Layer":
        """Fold `scale · y + shift`, per output channel, into weight and bias."""
        rows = scale.reshape(-1, *(1,) * (self.weight.ndim - 1))
        return replace(self, weight=self.weight * rows, bias=self.bias * scale + shift)

    def after(self, scale: Array, shift: Array) -> "_Layer":
        """Fold `scale · x + shift`, per channel of the flattened map, into the dense layer."""
        cells = self.weight.shape[1] // len(scale)
        wide_scale, wide_shift = np.repeat(scale, cells), np.repeat(shift, cells)
        return replace(
            self, weight=self.weight * wide_scale, bias=self.bias + self.weight @ wide_shift
        )


def _layers(graph: onnx.GraphProto, file: Path) -> list[_Layer]:
    """Walk the graph in order: it has one path from input to output."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers: list[_Layer] = []
    waiting: tuple[Array, Array] | None = None
    for node in graph.node:
        given = [arrays[name] for name in node.input if name in arrays]
        if node.op_type == "Conv":
            layers.append(_Layer(given[0], _bias(given)))
        elif node.op_type == "PRelu":
            layers[-1] = replace(layers[-1], slope=given[0].ravel())
        elif node.op_type == "BatchNormalization":
            affine = _affine(given, _epsilon(node))
            if layers[-1].slope is None:
                layers[-1] = layers[-1].then(*affine)
            else:
                waiting = affine
        elif node.op_type == "Gemm":
            dense = _Layer(given[0], _bias(given))
            layers.append(dense if waiting is None else dense.after(*waiting))
        elif node.op_type in ("Sub", "Mul"):
            _check_scaling(node.op_type, given[0], file)
        elif node.op_type not in _SILENT:
            raise BadArtifact(f"{file}: node {node.name} ({node.op_type}) is not part of SFace")
    return layers


def _bias(given: list[Array]) -> Array:
    return given[1] if len(given) > 1 else np.zeros(len(given[0]), np.float32)


def _affine(given: list[Array], epsilon: float) -> tuple[Array, Array]:
    gamma, beta, mean, variance = (array.astype(np.float64) for array in given)
    scale = gamma / np.sqrt(variance + epsilon)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)


def _epsilon(node: onnx.NodeProto) -> float:
    return next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)


def _check_scaling(operation: str, value: Array, file: Path) -> None:
    expected = _MEAN if operation == "Sub" else _SCALE
    if not np.allclose(value, expected):
        raise BadArtifact(f"{file}: {operation} by {value}, SFace has {expected}")


def _state(layers: list[_Layer]) -> Mapping[str, Tensor]:
    state = {}
    for number, layer in enumerate(layers[:-1]):
        state[f"body.{number}.conv.weight"] = torch.from_numpy(layer.weight)
        state[f"body.{number}.conv.bias"] = torch.from_numpy(layer.bias)
        if layer.slope is not None:
            state[f"body.{number}.slope.weight"] = torch.from_numpy(layer.slope.copy())
    if layers:
        state["dense.weight"] = torch.from_numpy(layers[-1].weight)
        state["dense.bias"] = torch.from_numpy(layers[-1].bias)
    return state
