"""SFace in torch says what its ONNX says, whatever the weights are."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper, numpy_helper

from support.pretrained import weights_folder
from vultus.errors import BadArtifact
from vultus.networks.sface import DIMENSION, SIDE, SFace, read_sface


class _Writer:
    """An SFace graph with random weights, written node by node as the published one is."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(7)
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []
        self.now = "data"

    def add(self, operation: str, *arrays: np.ndarray, **attributes: object) -> None:
        names = [f"w{len(self.arrays) + number}" for number in range(len(arrays))]
        self.arrays += [
            numpy_helper.from_array(np.asarray(array, np.float32), name)
            for name, array in zip(names, arrays, strict=True)
        ]
        after = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, [self.now, *names], [after], **attributes))
        self.now = after

    def convolution(self, module: torch.nn.Conv2d) -> None:
        scale = (2 / module.weight[0].numel()) ** 0.5
        weight = self.rng.normal(0, scale, module.weight.shape)
        self.add(
            "Conv", weight, group=module.groups, strides=list(module.stride),
            pads=[module.padding[0]] * 4, kernel_shape=list(module.kernel_size),
        )  # fmt: skip
        self.norm(len(weight), 1e-3)
        self.add("PRelu", self.rng.uniform(-0.2, 1.2, (len(weight), 1, 1)))

    def norm(self, width: int, epsilon: float) -> None:
        draw = self.rng.uniform
        self.add(
            "BatchNormalization", draw(0.8, 1.2, width), draw(-0.1, 0.1, width),
            draw(-0.1, 0.1, width), draw(0.8, 1.2, width), epsilon=epsilon,
        )  # fmt: skip

    def save(self, file: Path) -> Path:
        shape = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "sface",
            [shape("data", onnx.TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
            [shape(self.now, onnx.TensorProto.FLOAT, ["N", DIMENSION])],
            self.arrays,
        )
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), file)
        return file


def _random_sface(file: Path, *, mean: float = 127.5) -> Path:
    writer = _Writer()
    writer.add("Sub", np.array([mean]))
    writer.add("Mul", np.array([1 / 128]))
    network = SFace()
    for layer in network.body:
        writer.convolution(layer.conv)
    writer.norm(network.body[-1].conv.out_channels, 2e-5)
    writer.add("Flatten")
    weight = writer.rng.normal(0, 0.005, network.dense.weight.shape)
    writer.add("Gemm", weight, writer.rng.normal(size=DIMENSION), transB=1)
    writer.norm(DIMENSION, 2e-5)
    return writer.save(file)


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def _largest_difference(file: Path) -> float:
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, SIDE, SIDE)).astype(np.float32)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    expected = session.run(None, {"data": pixels})[0]
    with torch.inference_mode():
        got = read_sface(file)(torch.from_numpy(pixels)).numpy()
    return float(np.abs(_unit(expected) - _unit(got)).max())


def test_folded_torch_network_equals_a_graph_with_random_weights(tmp_path: Path) -> None:
    assert _largest_difference(_random_sface(tmp_path / "random.onnx")) <= 1e-5


def test_packaged_network_is_reproduced() -> None:
    assert _largest_difference(weights_folder("sface") / "sface.onnx") <= 1e-4


def test_the_trunk_arrives_frozen_and_in_evaluation_mode() -> None:
    trunk = read_sface(weights_folder("sface") / "sface.onnx")
    assert not trunk.training
    assert not any(parameter.requires_grad for parameter in trunk.parameters())


def test_another_scaling_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="Sub by"):
        read_sface(_random_sface(tmp_path / "other.onnx", mean=100.0))


@pytest.mark.parametrize("content", [b"", b"this is no network"])
def test_what_is_no_sface_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sface.onnx"
    file.write_bytes(content)
    with pytest.raises(BadArtifact, match=r"sface\.onnx"):
        read_sface(file)
