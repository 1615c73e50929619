"""OpenCV Zoo's SFace, once: from block-quantised weights to plain float32.

The packaged file unpacks its weights at every run and lists them as inputs too; here they are folded
into float32 initialisers and only the input `data` is kept (25 instead of 37 ms an image, one thread).
"""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from vultus.errors import WeightsUnavailable

_UNPACKERS = {"DequantizeLinear", "Reshape", "Cast", "Transpose", "Slice", "Squeeze", "Unsqueeze"}


def convert_sface(file: Path) -> None:
    """Rewrite the file in place. Raises: WeightsUnavailable, if the graph is not as expected."""
    model = onnx.load(file)
    graph = model.graph
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        inputs = [known.get(name) for name in node.input if name]
        if node.op_type in _UNPACKERS and all(value is not None for value in inputs):
            known[node.output[0]] = _evaluate(model, node, known)
        else:
            kept.append(node)
    used = {name for node in kept for name in node.input}
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(_single(value)), name)
        for name, value in known.items()
        if name in used
    ]
    data = [value for value in graph.input if value.name == "data"]
    if len(data) != 1:
        raise WeightsUnavailable(f"{file.name} has no input named data; it is not OpenCV's SFace")
    del graph.node[:], graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(kept)
    graph.input.extend(data)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    graph.initializer.extend(weights)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def _evaluate(
    model: onnx.ModelProto, node: onnx.NodeProto, known: dict[str, NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Run one node on constants with the reference evaluator of onnx."""
    from onnx.reference import ReferenceEvaluator

    outputs = [onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.UNDEFINED, None)]
    names = list(dict.fromkeys(name for name in node.input if name))
    inputs = [
        onnx.helper.make_tensor_value_info(
            name, onnx.helper.np_dtype_to_tensor_dtype(known[name].dtype), known[name].shape
        )
        for name in names
    ]
    graph = onnx.helper.make_graph([node], "constant", inputs, outputs)
    single = onnx.helper.make_model(graph, opset_imports=model.opset_import)
    (result,) = ReferenceEvaluator(single).run(None, {name: known[name] for name in names})
    return np.asarray(result)


def _single(value: NDArray[np.generic]) -> NDArray[np.generic]:
    return value.astype(np.float32) if value.dtype == np.float64 else value
