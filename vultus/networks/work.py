"""What one picture costs a network: parameters and floating-point operations, from its ONNX file."""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from onnx import shape_inference, version_converter

from vultus.errors import BadArtifact

_INFERRED = 18
"""In older opsets the shapes behind a computed Reshape are not inferred."""
_FLOATS = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)


@dataclass(frozen=True)
class Work:
    """parameters: numbers in float tensors of more than one element; flops: of convolutions and
    matrix products for one picture, a multiplication and an addition being two."""

    parameters: int
    flops: int


def work_of(file: Path) -> Work:
    """Count. Element-wise nodes are left out, as in torch.utils.flop_counter.

    Raises: BadArtifact, if the file is no ONNX, or a shape in it cannot be inferred.
    """
    try:
        model = onnx.load(file)
    except Exception as error:  # protobuf's DecodeError has no public base class
        raise BadArtifact(f"{file} is no ONNX file: {error}") from error
    if _opset(model) < _INFERRED:
        model = version_converter.convert_version(model, _INFERRED)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    for value in model.graph.input:
        if value.name not in weights and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_value = 1
    # What the exporter wrote down was for any batch; it is inferred again for one picture.
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = weights | {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in (*graph.input, *graph.value_info, *graph.output)
        if value.name not in weights
    }
    numbers = sum(
        prod(tensor.dims)
        for tensor in model.graph.initializer
        if tensor.data_type in _FLOATS and prod(tensor.dims) > 1
    )
    return Work(numbers, sum(_flops(node, shapes, file) for node in graph.node))


def opset_of(file: Path) -> int:
    """Which version of ONNX's own operators the file is written in."""
    return _opset(onnx.load(file, load_external_data=False))


def _opset(model: onnx.ModelProto) -> int:
    version: int = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    return version


def _flops(node: onnx.NodeProto, shapes: dict[str, tuple[int, ...]], file: Path) -> int:
    if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
        return 0
    first, second, out = (shapes.get(name, ()) for name in (*node.input[:2], node.output[0]))
    if not (first and second and out) or 0 in (*first, *second, *out):
        raise BadArtifact(
            f"{file}: the shapes of {node.op_type} {node.name} cannot be inferred: "
            f"{first}, {second} -> {out}"
        )
    if node.op_type == "Conv":
        return 2 * prod(out) * prod(second[1:])
    if node.op_type == "ConvTranspose":
        return 2 * prod(first) * prod(second[1:])
    flipped = any(item.name == "transA" and item.i for item in node.attribute)
    return 2 * prod(out) * first[-2 if flipped else -1]
