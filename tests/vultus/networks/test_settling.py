"""The running statistics that are kept are those of the weights that are kept."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vultus.networks.embedders.catalogue import build_embedder
from vultus.networks.sampling import even_shares
from vultus.networks.settling import settle

CPU = torch.device("cpu")


class _Points:
    """Examples of four numbers in two groups; counts what it was asked for."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(4)
        self.points = torch.from_numpy(rng.normal(3, 2, (count, 4)).astype(np.float32))
        self.groups = np.arange(count, dtype=np.int64) % 2
        self.shares = even_shares(self.groups)
        self.asked: list[np.ndarray] = []

    def still(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        self.asked.append(indices)
        return (self.points[indices],)

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        out: Tensor = network(*batch)
        return out.mean()


class _Chips(_Points):
    """Noise of 32 × 32 pixels."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        rng = np.random.default_rng(5)
        chips = rng.uniform(0, 255, (count, 3, 32, 32))
        self.points = torch.from_numpy(chips.astype(np.float32))


def _network() -> nn.Module:
    return nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))


def test_statistics_are_those_of_the_examples_through_the_present_weights() -> None:
    network, lesson = _network(), _Points(50)
    norm = network[2]
    assert isinstance(norm, nn.BatchNorm1d)
    norm.running_mean.fill_(99.0)  # type: ignore[union-attr]
    with torch.no_grad():
        seen = network[1](lesson.points)
    found = settle(network, lesson, CPU)
    torch.testing.assert_close(found["2.running_mean"], seen.mean(0))
    torch.testing.assert_close(found["2.running_var"], seen.var(0))
    assert torch.equal(found["2.running_mean"], network.state_dict()["2.running_mean"])
    assert norm.momentum == 0.1
    assert not any(part.training for part in network.modules())
    assert len(lesson.asked) == 1


@pytest.mark.parametrize(("count", "shown"), [(20, 20), (90, 64), (400, 100), (5000, 256)])
def test_a_quarter_of_the_examples_is_shown_within_bounds(count: int, shown: int) -> None:
    lesson = _Points(count)
    settle(_network(), lesson, CPU)
    assert sum(len(part) for part in lesson.asked) == shown


def test_many_examples_are_drawn_fairly_and_worked_off_in_parts() -> None:
    lesson = _Points(1024)
    lesson.shares = {0: 3.0, 1: 1.0}
    found = settle(_network(), lesson, CPU, seed=1)
    assert [len(part) for part in lesson.asked] == [64] * 4
    drawn = np.concatenate(lesson.asked)
    assert (lesson.groups[drawn] == 0).sum() == 192
    assert found["2.num_batches_tracked"] == 4


def test_nothing_is_left_to_chance_and_nothing_else_moves() -> None:
    network = _network()
    before, state = network.state_dict(), torch.get_rng_state()
    weights = {name: value.clone() for name, value in before.items() if "2." not in name}
    first = settle(network, _Points(300), CPU, seed=2)
    torch.rand(3)
    again = settle(network, _Points(300), CPU, seed=2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(torch.equal(value, before[name]) for name, value in weights.items())
    torch.set_rng_state(state)


def test_a_network_without_norms_is_left_in_peace() -> None:
    lesson = _Points(10)
    assert settle(nn.Linear(4, 1), lesson, CPU) == {}
    assert lesson.asked == []


@pytest.mark.parametrize("frozen", [0, 2])
def test_the_norms_of_frozen_stages_stay(frozen: int) -> None:
    embedder = build_embedder("edge", {"dimension": 16, "side": 32, "width": 0.25})
    embedder.freeze(frozen)
    before = {name: value.clone() for name, value in embedder.state_dict().items()}
    found = settle(embedder, _Chips(12), CPU)
    after = embedder.state_dict()
    kept = [
        f"{name}.running_mean"
        for stage in embedder.stages()[:frozen]
        for part in stage.modules()
        for name, other in embedder.named_modules()
        if other is part and isinstance(part, nn.BatchNorm2d | nn.BatchNorm1d)
    ]
    assert bool(kept) == bool(frozen)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    means = {name for name in before if name.endswith("running_mean")}
    assert means - moved == set(kept)
    assert moved <= set(found)
