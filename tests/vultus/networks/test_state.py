"""Weights are data: what is more than tensors is refused; what does not fit is named."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import efficientnet_b0, mobilenet_v3_small

from vultus.errors import BadArtifact
from vultus.networks.state import load_into, read_state, whose


class _Trap:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.mark),)


def _small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_a_pickle_with_code_is_refused_and_its_code_does_not_run(tmp_path: Path) -> None:
    file, mark = tmp_path / "weights.pth", tmp_path / "mark"
    torch.save({"weight": torch.ones(2), "trap": _Trap(mark)}, file)
    with pytest.raises(BadArtifact, match="never run"):
        read_state(file)
    assert not mark.exists()
    torch.load(file, weights_only=False)
    assert mark.exists(), "the trap must work, or the test above proves nothing"


@pytest.mark.parametrize("kind", ["safetensors", "torch", "nested", "parallel"])
def test_what_was_saved_is_read_and_fits(kind: str, tmp_path: Path) -> None:
    source, target = _small(), _small()
    state = source.state_dict()
    file = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_file(state, file)
    elif kind == "nested":
        torch.save({"epoch": 3, "state_dict": state}, file)
    elif kind == "parallel":
        torch.save({f"module.{name}": value for name, value in state.items()}, file)
    else:
        torch.save(state, file)
    load_into(target, read_state(file))
    for name, value in target.state_dict().items():
        assert torch.equal(value, state[name])


def test_weights_of_another_architecture_are_named_and_nothing_is_changed() -> None:
    module = efficientnet_b0()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(BadArtifact, match="weights of mobilenet-v3 of torchvision"):
        load_into(module, mobilenet_v3_small().state_dict())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_missing_unexpected_and_misshapen_are_said() -> None:
    state = _small().state_dict()
    del state["0.bias"]
    state["9.weight"] = torch.ones(1)
    state["2.weight"] = torch.ones(7, 4)
    with pytest.raises(BadArtifact) as caught:
        load_into(_small(), state)
    said = str(caught.value)
    assert "1 missing: 0.bias" in said
    assert "1 not of this network: 9.weight" in said
    assert "1 of another shape: 2.weight is [7, 4], not [2, 4]" in said
    assert whose(state) == "an unknown architecture"


def test_a_head_may_be_left_out_and_a_prefix_taken_off() -> None:
    source, target = _small(), _small()
    state = {f"net.{name}": value for name, value in source.state_dict().items()}
    state |= {"net.2.weight": torch.ones(9, 4), "net.2.bias": torch.ones(9), "other": torch.ones(1)}
    kept = target[2].weight.clone()
    load_into(target, state, prefix="net.", ignore=("2.",))
    assert torch.equal(target[0].weight, source[0].weight)
    assert torch.equal(target[2].weight, kept)


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\x80\x02}q\x00."])
@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_broken_files_are_refused(content: bytes, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadArtifact):
        read_state(tmp_path / name)
