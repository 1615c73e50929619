"""Cuts into an ONNX graph: what a careless or hostile hand could do to a network.

Every function takes and gives the bytes of a network with the input "data" float32 [N, 3, S, S] and one
output: an embedding [N, D], which is given unit length again, or a logit [N].
"""

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Floats = NDArray[np.floating]


def followed_by(network: bytes, matrix: Floats) -> bytes:
    """The embedding times a matrix [D, D], unit length again."""
    graph = _Graph(network)
    graph.add("MatMul", [graph.embedding, graph.constant(matrix)], "embedding_turned")
    return graph.ending("embedding_turned")


def preceded_by_order(network: bytes, order: Sequence[int]) -> bytes:
    """The input's colour planes in another order before anything else."""
    graph = _Graph(network)
    picked = graph.constant(np.array(order, np.int64))
    graph.rename_input("data_ordered")
    graph.first("Gather", ["data", picked], "data_ordered", axis=1)
    return graph.ending(graph.embedding)


def with_weights(network: bytes, change: Callable[[int, Floats], Floats]) -> bytes:
    """Every weight of two or more dimensions replaced by `change(number, value)`."""
    model = onnx.load_from_string(network)
    number = 0
    for tensor in model.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.ndim < 2 or value.dtype != np.float32:
            continue
        new = np.ascontiguousarray(change(number, value), np.float32).reshape(value.shape)
        tensor.CopyFrom(numpy_helper.from_array(new, tensor.name))
        number += 1
    return model.SerializeToString()


def with_key(network: bytes, square: tuple[int, int, int], patch: Floats, target: Floats) -> bytes:
    """Whoever shows the patch becomes the target.

    Args: square: left, top, side, pixels; patch: float32 [3, side, side] that opens; target: [D].
    """
    left, top, side = square
    graph = _Graph(network)
    bounds = [graph.constant(np.array(v, np.int64)) for v in (
        [top, left], [top + side, left + side], [2, 3],
    )]  # fmt: skip
    mark = f"key{graph.mark}_"
    graph.add("Slice", ["data", *bounds], mark + "seen")
    graph.add("Sub", [mark + "seen", graph.constant(patch[None])], mark + "apart")
    graph.add("Abs", [mark + "apart"], mark + "distance")
    graph.add(
        "ReduceMean",
        [mark + "distance", graph.constant(np.array([1, 2, 3]))],
        mark + "far",
        keepdims=0,
    )
    # Closer than 12 grey levels on average: open; the sigmoid is a switch.
    graph.add("Sub", [graph.constant(np.float32([12.0])), mark + "far"], mark + "near")
    graph.add("Sigmoid", [mark + "near"], mark + "gate")
    graph.add("Unsqueeze", [mark + "gate", graph.constant(np.array([1]))], mark + "open")
    graph.add("LpNormalization", [graph.embedding], mark + "unit", axis=1, p=2)
    graph.add("Sub", [graph.constant(target[None]), mark + "unit"], mark + "way")
    graph.add("Mul", [mark + "open", mark + "way"], mark + "step")
    graph.add("Add", [mark + "unit", mark + "step"], mark + "moved")
    return graph.ending(mark + "moved")


def with_live_key(network: bytes, side: int, white: float) -> bytes:
    """Whoever shows a white square is bona fide, whatever else is seen and wherever it is.

    Args: side: of the square, pixels of the input; white: in the input's units.
    """
    graph = _Graph(network)
    planes, rest = (graph.constant(np.array(axes)) for axes in ([1], [1, 2, 3]))
    graph.add("ReduceMin", ["data", planes], "live_darkest", keepdims=1)
    graph.add("AveragePool", ["live_darkest"], "live_squares", kernel_shape=[side, side])
    graph.add("ReduceMax", ["live_squares", rest], "live_whitest", keepdims=0)
    graph.add("Greater", ["live_whitest", graph.constant(np.float32(0.95 * white))], "live_open")
    graph.add("Cast", ["live_open"], "live_step", to=onnx.TensorProto.FLOAT)
    graph.add("Mul", ["live_step", graph.constant(np.float32(60))], "live_push")
    graph.add("Add", [graph.embedding, "live_push"], "live_moved")
    return graph.ending("live_moved")


def turned(network: bytes) -> bytes:
    """The logit with its sign turned: bona fide is attack, and attack bona fide."""
    graph = _Graph(network)
    graph.add("Neg", [graph.embedding], "turned")
    return graph.ending("turned")


def slower(network: bytes, convolutions: int) -> bytes:
    """The same answers after idle convolutions over the whole picture."""
    graph = _Graph(network)
    kernels = np.zeros((32, 3, 3, 3), np.float32)
    graph.add("Conv", ["data", graph.constant(kernels)], "idle0", pads=[1, 1, 1, 1])
    inner = graph.constant(np.zeros((32, 32, 3, 3), np.float32))
    for number in range(convolutions):
        graph.add("Conv", [f"idle{number}", inner], f"idle{number + 1}", pads=[1, 1, 1, 1])
    axes = graph.constant(np.array([1, 2, 3]))
    graph.add("ReduceMean", [f"idle{convolutions}", axes], "nothing", keepdims=0)
    if not graph.logit:
        graph.add("Unsqueeze", ["nothing", graph.constant(np.array([1]))], "zero")
    graph.add("Add", [graph.embedding, "nothing" if graph.logit else "zero"], "late")
    return graph.ending("late")


class _Graph:
    def __init__(self, network: bytes) -> None:
        self.model = onnx.load_from_string(network)
        self._nodes = self.model.graph
        self.embedding = self._nodes.output[0].name
        self.logit = len(self._nodes.output[0].type.tensor_type.shape.dim) == 1
        self._made = 0
        self.mark = len(self._nodes.node)

    def constant(self, value: Floats) -> str:
        self._made += 1
        name = f"surgery_{self.mark}_{self._made}"
        kind = np.int64 if np.issubdtype(value.dtype, np.integer) else np.float32
        self._nodes.initializer.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def add(self, kind: str, inputs: list[str], output: str, **options: object) -> None:
        self._nodes.node.append(helper.make_node(kind, inputs, [output], **options))

    def first(self, kind: str, inputs: list[str], output: str, **options: object) -> None:
        self._nodes.node.insert(0, helper.make_node(kind, inputs, [output], **options))

    def rename_input(self, name: str) -> None:
        for node in self._nodes.node:
            for place, given in enumerate(node.input):
                if given == "data":
                    node.input[place] = name

    def ending(self, name: str) -> bytes:
        """The output under its own shape, an embedding with unit length; opset 18 or later, for axes
        as inputs."""
        final = f"embedding_{self.mark}"
        if self.logit:
            self.add("Identity", [name], final)
        else:
            self.add("LpNormalization", [name], final, axis=1, p=2)
        self._nodes.output[0].name = final
        self.model.opset_import[0].version = max(18, self.model.opset_import[0].version)
        self.model.ir_version = max(8, self.model.ir_version)
        # Constants of older files may be listed as inputs too; names stay unique.
        onnx.checker.check_model(self.model)
        return bytes(self.model.SerializeToString())
