"""DeepFace's pair as a panel member. Its published weights cannot be fetched by a test; files of the
published architecture with random weights stand in for them, saved as the publisher saves them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vultus.baselines.deepface import PUBLISHED, fasnet_member, locate_fasnet
from vultus.contracts.artifact import sha256_of
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Evidence
from vultus.errors import WeightsUnavailable
from vultus.faces.tensor import pad_tensor
from vultus.inference.panel import PadPanel
from vultus.networks.pads.minifasnet import MiniFasNet, read_pair

_V2 = (
    *(32, 32, 103, 103, 64, 13, 13, 64, 13, 13, 64, 13, 13, 64, 13, 13, 64, 231, 231, 128),
    *(231, 231, 128, 52, 52, 128, 26, 26, 128, 77, 77, 128, 26, 26, 128, 26, 26, 128, 308, 308),
    *(128, 26, 26, 128, 26, 26, 128, 512, 512),
)
_V1 = (
    *(32, 32, 103, 103, 64, 13, 13, 64, 26, 26, 64, 13, 13, 64, 52, 52, 64, 231, 231, 128),
    *(154, 154, 128, 52, 52, 128, 26, 26, 128, 52, 52, 128, 26, 26, 128, 26, 26, 128, 308, 308),
    *(128, 26, 26, 128, 26, 26, 128, 512, 512),
)
"""Widths as published with the networks, layer by layer."""


def _unit(
    state: dict[str, torch.Tensor], name: str, shape: tuple[int, ...], *, bent: bool = True
) -> None:
    width = shape[0]
    fan = float(np.prod(shape[1:]))
    state[f"{name}.conv.weight"] = torch.randn(*shape) / fan**0.5
    _norm(state, f"{name}.bn", width)
    if bent:
        state[f"{name}.prelu.weight"] = torch.rand(width) * 0.5


def _norm(state: dict[str, torch.Tensor], name: str, width: int) -> None:
    state[f"{name}.weight"] = torch.rand(width) + 0.5
    state[f"{name}.bias"] = torch.randn(width) * 0.1
    state[f"{name}.running_mean"] = torch.randn(width) * 0.1
    state[f"{name}.running_var"] = torch.rand(width) + 0.5
    state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def _bottleneck(
    state: dict[str, torch.Tensor], name: str, widths: tuple[int, ...], *, gated: bool
) -> None:
    inlet, middle, same, outlet = widths
    assert middle == same
    _unit(state, f"{name}.conv", (middle, inlet, 1, 1))
    _unit(state, f"{name}.conv_dw", (middle, 1, 3, 3))
    _unit(state, f"{name}.project", (outlet, middle, 1, 1), bent=False)
    if gated:
        gate = f"{name}.se_module"
        state[f"{gate}.fc1.weight"] = torch.randn(outlet // 4, outlet, 1, 1) / outlet**0.5
        _norm(state, f"{gate}.bn1", outlet // 4)
        state[f"{gate}.fc2.weight"] = torch.randn(outlet, outlet // 4, 1, 1) / outlet**0.5
        _norm(state, f"{gate}.bn2", outlet)


def _published_like(widths: tuple[int, ...], *, gates: bool, seed: int) -> dict[str, torch.Tensor]:
    torch.manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    _unit(state, "conv1", (widths[0], 3, 3, 3))
    _unit(state, "conv2_dw", (widths[1], 1, 3, 3))
    place = 1
    stages = (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6), ("conv_45", "conv_5", 2))
    for down, stage, blocks in stages:
        _bottleneck(state, down, widths[place : place + 4], gated=False)
        place += 3
        for index in range(blocks):
            last = gates and index == blocks - 1
            _bottleneck(state, f"{stage}.model.{index}", widths[place : place + 4], gated=last)
            place += 3
    _unit(state, "conv_6_sep", (widths[47], widths[46], 1, 1))
    _unit(state, "conv_6_dw", (widths[48], 1, 5, 5), bent=False)
    state["linear.weight"] = torch.randn(128, 512) / 512**0.5
    _norm(state, "bn", 128)
    state["prob.weight"] = torch.randn(3, 128) / 128**0.5
    return state


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """DeepFace's home with two files in it, and their sha256."""
    root = tmp_path_factory.mktemp("deepface")
    folder = root / ".deepface" / "weights"
    folder.mkdir(parents=True)
    digests = {}
    for name, widths, gates in zip(PUBLISHED, (_V2, _V1), (False, True), strict=True):
        state = _published_like(widths, gates=gates, seed=len(digests))
        torch.save({f"module.{key}": value for key, value in state.items()}, folder / name)
        digests[name] = sha256_of(folder / name)
    return root, digests


def test_the_published_widths_give_the_published_size() -> None:
    """0.43 and 0.41 million parameters (V1 without its gates), as the authors say."""
    for widths, gates, millions in ((_V2, False, 0.43), (_V1, False, 0.41)):
        network = MiniFasNet(_published_like(widths, gates=gates, seed=0))
        weights = sum(p.numel() for p in network.parameters())
        assert weights / 1e6 == pytest.approx(millions, abs=0.006)


def test_absent_or_changed_files_are_refused(
    cache: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="let DeepFace fetch it once"):
        locate_fasnet(tmp_path / "weights")
    monkeypatch.setenv("DEEPFACE_HOME", str(cache[0]))
    with pytest.raises(WeightsUnavailable, match="expected a5eb02e1"):
        locate_fasnet(tmp_path / "weights")
    assert not (tmp_path / "weights" / "deepface-fasnet.onnx").exists()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    other, text = tmp_path / "other.pth", tmp_path / "text.pth"
    torch.save({"weight": torch.zeros(2)}, other)
    text.write_text("no weights")
    for file in (other, text):
        with pytest.raises(WeightsUnavailable, match="is no MiniFASNet"):
            read_pair(file, file)


@pytest.mark.slow
def test_the_pair_becomes_one_member_that_says_the_mean_of_both(
    cache: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, digests = cache
    monkeypatch.setenv("DEEPFACE_HOME", str(root))
    file = locate_fasnet(tmp_path, digests)
    stamp = file.stat().st_mtime_ns
    assert locate_fasnet(tmp_path, digests) == file
    assert file.stat().st_mtime_ns == stamp
    member = fasnet_member(file, file.name, room_min=1.15, threshold=0.5)
    assert member.evidence is Evidence.REAL
    panel = PadPanel(tmp_path, LivenessTransform(members=(member,)))
    image = np.random.default_rng(0).integers(0, 256, (300, 260, 3), dtype=np.uint8)
    box = np.array([90, 100, 170, 200], np.float32)
    judged = panel.judge(image, box)
    folder = root / ".deepface" / "weights"
    pair = read_pair(*(folder / name for name in PUBLISHED))
    tensor = pad_tensor([image], box[None], scales=member.scales, params=member.tensor)
    with torch.inference_mode():
        crops = torch.from_numpy(tensor)
        near, far = pair.first(crops[:, :3]).softmax(1), pair.second(crops[:, 3:]).softmax(1)
    assert judged.score == pytest.approx(float((near + far)[0, 1]) / 2, abs=1e-5)
    assert judged.member == "deepface-fasnet"
    file.write_bytes(b"changed")
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(WeightsUnavailable):
        locate_fasnet(tmp_path, digests)
