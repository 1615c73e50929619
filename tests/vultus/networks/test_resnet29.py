"""ResNet-29 in torch says what its file says, whatever the weights are, and what dlib says."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from support.dlib_writer import write_dlib
from support.pretrained import weights_folder
from vultus.errors import BadArtifact
from vultus.networks.dlib_file import DlibLayer, DlibNetwork, read_dlib
from vultus.networks.resnet29 import DIMENSION, SIDE, read_resnet29

MEAN = (122.782, 117.001, 104.298)
NONE = np.empty(0, np.float32)


def _random_layers() -> Iterator[DlibLayer]:
    """The published architecture, written down a second time, with weights that keep a signal alive."""
    rng, width = np.random.default_rng(3), 32

    def convolution(inside: int, outside: int, side: int, stride: int) -> Iterator[DlibLayer]:
        padding = side // 2 if stride == 1 else 0
        weight = rng.normal(0, (2 / (inside * side**2)) ** 0.5, outside * inside * side**2)
        params = np.concatenate([weight, rng.normal(0, 0.1, outside)])
        sizes = (outside, side, side, stride, stride, padding, padding)
        yield DlibLayer("con_4", sizes, params.astype(np.float32))
        affine = np.concatenate([rng.uniform(0.3, 0.8, outside), rng.normal(0, 0.1, outside)])
        yield DlibLayer("affine_", (0,), affine.astype(np.float32))

    relu, add = DlibLayer("relu_", (), NONE), DlibLayer("add_prev_", (), NONE)
    yield from (*convolution(3, width, 7, 2), relu)
    yield DlibLayer("max_pool_2", (3, 3, 2, 2, 0, 0), NONE)
    for outside, repeats, shrinks in (
        (32, 3, 0),
        (64, 4, 1),
        (128, 3, 1),
        (256, 3, 1),
        (256, 1, 1),
    ):
        for block in range(repeats):
            halved = bool(shrinks and block == 0)
            yield from (*convolution(width, outside, 3, 2 if halved else 1), relu)
            yield from convolution(outside, outside, 3, 1)
            if halved:
                yield DlibLayer("avg_pool_2", (2, 2, 2, 2, 0, 0), NONE)
            yield from (add, relu)
            width = outside
    yield DlibLayer("avg_pool_2", (0, 0, 1, 1, 0, 0), NONE)
    dense = rng.normal(0, width**-0.5, width * DIMENSION)
    yield DlibLayer("fc_2", (DIMENSION, width), dense.astype(np.float32))


def _written(file: Path, layers: Iterable[DlibLayer], side: int = SIDE) -> Path:
    file.write_bytes(write_dlib(DlibNetwork(MEAN, side, tuple(layers))))
    return file


def _as_written(network: DlibNetwork, pixels: Tensor) -> Tensor:
    """Layer after layer, nothing folded; dlib adds maps of unlike shape as if filled with zeros."""
    now = (pixels - torch.tensor(network.mean).view(3, 1, 1)) / 256
    start, previous = now, ""
    for layer in network.layers:
        params = torch.from_numpy(layer.params)
        if layer.kind == "con_4":
            filters, rows, columns, *steps = layer.sizes
            weight = params[:-filters].view(filters, now.shape[1], rows, columns)
            now = functional.conv2d(now, weight, params[-filters:], steps[:2], steps[2:])
        elif layer.kind == "affine_":
            gamma, beta = params.view(2, -1, 1, 1)
            now = gamma * now + beta
        elif layer.kind == "relu_":
            now = torch.relu(now)
        elif layer.kind == "max_pool_2":
            now = functional.max_pool2d(now, layer.sizes[:2], layer.sizes[2:4])
        elif layer.kind == "add_prev_":
            whole = torch.zeros([max(pair) for pair in zip(now.shape, start.shape, strict=True)])
            for part in (now, start):
                whole[:, : part.shape[1], : part.shape[2], : part.shape[3]] += part
            now = whole
        elif layer.kind == "avg_pool_2" and layer.sizes[0]:
            start = functional.avg_pool2d(start, layer.sizes[:2], layer.sizes[2:4])
        elif layer.kind == "avg_pool_2":
            now = now.mean((2, 3))
        else:
            now = now @ params.view(layer.sizes[::-1])
        if layer.kind == "max_pool_2" or previous == "add_prev_":
            start = now
        previous = layer.kind
    return now


def _both(file: Path, pixels: Tensor) -> tuple[Tensor, Tensor]:
    with torch.inference_mode():
        return read_resnet29(file)(pixels), _as_written(read_dlib(file), pixels)


def test_folded_network_equals_layer_after_layer_with_random_weights(tmp_path: Path) -> None:
    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 255
    got, expected = _both(_written(tmp_path / "random.dat", _random_layers()), pixels)
    assert got.shape == (2, DIMENSION)
    assert expected.std() > 0.1, "the signal must have survived the layers"
    assert (got - expected).abs().max() <= 1e-4 * expected.abs().max()


def _drawn_chip() -> np.ndarray:
    """A face of an ellipse, two discs and a bar, in whole numbers alone: the same on every machine."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    chip = np.stack([40 + x // 3, 60 + y // 3, 90 + (x + y) // 6], -1)
    skin = np.stack([205 - y // 4, 160 - y // 5 + x // 9, 130 - y // 6], -1)
    face = (x - 75) ** 2 * 4 + (y - 80) ** 2 * 3 < 75**2 * 3
    chip[face] = skin[face]
    for eye in (48, 100):
        chip[(x - eye) ** 2 + (y - 47) ** 2 < 80] = (40, 30, 25)
    chip[(abs(x - 75) < 28) & (abs(y - 112) < 5)] = (150, 60, 60)
    return chip.astype(np.uint8)


# dlib.face_recognition_model_v1(file).compute_face_descriptor(_drawn_chip()), dlib-bin 20.0.1,
# rounded to five places.
DLIB_SAYS = np.array(
    [
        -0.04854, 0.11577, 0.03781, -0.06124, -0.09689, -0.03286, -0.09105, -0.01843,
        0.10264, -0.04363, 0.26520, -0.01294, -0.29193, -0.01740, -0.03423, 0.17081,
        -0.17098, -0.04653, -0.19447, -0.07525, 0.01714, -0.01277, 0.03116, -0.01405,
        -0.15907, -0.24656, -0.06687, -0.08658, 0.06567, -0.14909, 0.03304, 0.06951,
        -0.13082, -0.02609, 0.02690, 0.01741, -0.02991, -0.07681, 0.18270, -0.00979,
        -0.19517, -0.02229, 0.01591, 0.25423, 0.22193, 0.03753, 0.08700, -0.11949,
        0.02421, -0.31165, 0.05351, 0.12793, 0.02522, 0.09280, 0.08212, -0.16564,
        0.04756, 0.12391, -0.13857, -0.00001, 0.09062, -0.07532, -0.06326, -0.12782,
        0.21767, 0.06050, -0.12065, -0.16137, 0.18253, -0.13691, -0.04483, 0.12680,
        -0.10149, -0.17870, -0.30358, 0.04842, 0.41483, 0.20172, -0.13676, 0.05755,
        -0.09166, -0.07877, 0.01382, 0.04927, -0.06228, -0.03746, -0.03581, 0.08078,
        0.22641, -0.12115, 0.03205, 0.18418, 0.02487, -0.04209, -0.02482, -0.00885,
        -0.07234, 0.01786, -0.06653, 0.02243, 0.07195, -0.10576, 0.02162, 0.08706,
        -0.15000, 0.13999, -0.00759, -0.06527, 0.02233, 0.00152, -0.07702, -0.05570,
        0.22908, -0.26920, 0.20239, 0.24947, 0.10224, 0.07307, 0.09115, 0.13922,
        0.01171, 0.01292, -0.16583, -0.05449, 0.04172, -0.06044, -0.00683, 0.01709,
    ],
    np.float32,
)  # fmt: skip


@pytest.mark.slow
def test_the_packaged_network_says_what_dlib_says() -> None:
    file = weights_folder("resnet29") / "resnet29.dat"
    pixels = torch.from_numpy(_drawn_chip().transpose(2, 0, 1)[None].astype(np.float32))
    got, expected = _both(file, pixels)
    assert np.abs(got.numpy()[0] - DLIB_SAYS).max() <= 2e-5
    assert (got - expected).abs().max() <= 1e-5


@pytest.mark.slow
def test_the_packaged_trunk_arrives_frozen_and_in_evaluation_mode() -> None:
    trunk = read_resnet29(weights_folder("resnet29") / "resnet29.dat")
    assert not trunk.training
    assert not any(parameter.requires_grad for parameter in trunk.parameters())


def test_another_network_of_dlib_is_refused(tmp_path: Path) -> None:
    layers = tuple(_random_layers())
    for other, side in ((layers, 160), (layers[:4], SIDE)):
        with pytest.raises(BadArtifact, match="not its face ResNet-29"):
            read_resnet29(_written(tmp_path / "other.dat", other, side))


def test_a_layer_with_too_few_numbers_is_refused(tmp_path: Path) -> None:
    first, *others = _random_layers()
    short = DlibLayer(first.kind, first.sizes, first.params[10:])
    with pytest.raises(BadArtifact, match="is no face ResNet-29"):
        read_resnet29(_written(tmp_path / "short.dat", (short, *others)))
