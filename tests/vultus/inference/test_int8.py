"""An int8 form is smaller, says nearly the same, and is refused rather than written broken."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper, numpy_helper
from torch import nn

from vultus.errors import NoTrials, VultusError
from vultus.inference.int8 import int8_file, outputs_of, quantise
from vultus.networks.graph import write_onnx

SIDE = 16


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    layers = nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), nn.PReLU(24), nn.Conv2d(24, 48, 3, stride=2, padding=1),
        nn.BatchNorm2d(48), nn.ReLU(), nn.Flatten(), nn.Linear(48 * 64, 32),
    ).eval()  # fmt: skip
    file = tmp_path_factory.mktemp("net") / "model.onnx"
    write_onnx(layers, torch.zeros(2, 3, SIDE, SIDE), "embedding", file)
    return file


def _pictures(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (count, 3, SIDE, SIDE)).astype(np.float32)


def test_it_is_a_third_as_large_and_says_nearly_the_same(network: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    quantise(network, small, _pictures(32, 1))
    assert small.stat().st_size < network.stat().st_size / 3
    full, quick = outputs_of(network, _pictures(20, 2)), outputs_of(small, _pictures(20, 2))
    assert not np.array_equal(full, quick)
    lengths = np.linalg.norm(full, axis=1) * np.linalg.norm(quick, axis=1)
    assert ((full * quick).sum(axis=1) / lengths).min() > 0.98


def test_weights_have_seven_bits(network: Path, tmp_path: Path) -> None:
    """So that two products fit into 16 bits: with eight, processors without VNNI say something else."""
    quantise(network, tmp_path / "small.onnx", _pictures(8, 1))
    held = [
        numpy_helper.to_array(one)
        for one in onnx.load(tmp_path / "small.onnx").graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and len(one.dims) > 1
    ]
    assert len(held) >= 3
    assert max(int(np.abs(one.astype(int)).max()) for one in held) == 64


def test_pictures_unlike_the_ones_it_was_calibrated_on_cost_more(
    network: Path, tmp_path: Path
) -> None:
    """Calibration decides: a range set on dim pictures cuts bright ones off."""
    apart = []
    for name, factor in (("alike", 1.0), ("dim", 0.05)):
        quantise(network, tmp_path / name, factor * _pictures(32, 1))
        seen = _pictures(20, 2)
        away = np.abs(outputs_of(network, seen) - outputs_of(tmp_path / name, seen))
        apart.append(float(away.mean()))
    assert apart[1] > 3 * apart[0]


def test_the_same_pictures_give_the_same_file(network: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        quantise(network, tmp_path / name, _pictures(8, 1))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_a_picture_there_is_nothing_to_calibrate_on(network: Path, tmp_path: Path) -> None:
    with pytest.raises(NoTrials, match="calibrate"):
        quantise(network, tmp_path / "int8.onnx", _pictures(0, 1))


def test_an_older_opset_is_quantised_a_weight_at_a_time(tmp_path: Path) -> None:
    """Before opset 13 a scale cannot belong to a channel: the published PAD network is of 9."""
    file = tmp_path / "old.onnx"
    weight = np.random.default_rng(0).normal(size=(8, 3, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        "g",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 8, SIDE, SIDE])],
        [numpy_helper.from_array(weight, "w")],
    )
    old = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.save(old, file)
    quantise(file, int8_file(file), _pictures(8, 1))
    full, quick = outputs_of(file, _pictures(4, 2)), outputs_of(int8_file(file), _pictures(4, 2))
    assert np.abs(full - quick).max() < 0.05 * np.abs(full).max()


def test_a_network_that_cannot_be_fed_leaves_no_file(network: Path, tmp_path: Path) -> None:
    wrong = np.zeros((2, 3, SIDE + 1, SIDE), np.float32)
    with pytest.raises(VultusError, match="cannot be made int8"):
        quantise(network, tmp_path / "int8.onnx", wrong)
    assert not list(tmp_path.iterdir())
