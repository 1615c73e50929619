"""Operations counted on the ONNX file: by hand, and as torch counts them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import mobilenet_v3_small

from vultus.errors import BadArtifact
from vultus.networks.graph import write_onnx
from vultus.networks.work import Work, work_of


def test_a_small_network_counted_by_hand(tmp_path: Path) -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 16, 5),
    ).eval()  # fmt: skip
    write_onnx(network, torch.zeros(2, 3, 8, 8), "out", tmp_path / "n.onnx")
    # 8x8 -> 4x4: 8·16 outputs of 27 products; then of 9; then 5 of 128.
    assert work_of(tmp_path / "n.onnx").flops == 2 * (8 * 16 * 27 + 8 * 16 * 9 + 5 * 128)
    assert work_of(tmp_path / "n.onnx").parameters == sum(p.numel() for p in network.parameters())


@pytest.mark.slow
def test_torch_counts_the_same(tmp_path: Path) -> None:
    network = mobilenet_v3_small().eval()
    write_onnx(network, torch.zeros(2, 3, 96, 96), "out", tmp_path / "n.onnx")
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, 3, 96, 96))
    assert work_of(tmp_path / "n.onnx").flops == counter.get_total_flops()


def test_a_matrix_product_of_one_row(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["N", 7])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.ones((7, 5), np.float32), "w")],
    )
    onnx.save(helper.make_model(graph), tmp_path / "g.onnx")
    assert work_of(tmp_path / "g.onnx") == Work(35, 2 * 7 * 5)


def test_a_computed_reshape_of_an_older_opset_is_followed(tmp_path: Path) -> None:
    """As in the published PAD network: the batch size is taken from the shape before it."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n"], ["n1"], axes=[0]),
        helper.make_node("Concat", ["n1", "rest"], ["to"], axis=0),
        helper.make_node("Reshape", ["x", "to"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 4, 2, 2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(np.array(0, np.int64), "zero"),
            numpy_helper.from_array(np.array([-1], np.int64), "rest"),
            numpy_helper.from_array(np.ones((16, 5), np.float32), "w"),
        ],
    )
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=4)
    onnx.save(old, tmp_path / "g.onnx")
    assert work_of(tmp_path / "g.onnx") == Work(80, 2 * 16 * 5)


def test_no_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "n.onnx").write_bytes(b"no network")
    with pytest.raises(BadArtifact, match=r"no ONNX file|cannot be"):
        work_of(tmp_path / "n.onnx")
