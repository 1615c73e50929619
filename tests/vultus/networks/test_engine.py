"""Training ends with the same weights, however often it was interrupted."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils import deterministic

from vultus.errors import StorageUnavailable, TrainingFailed
from vultus.networks.engine import fit
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import balanced_order, even_shares
from vultus.networks.schedule import FitParams, learning_rate, reproducible

PARAMS = FitParams(epochs=4, batch=8, lr=0.01, ema=0.9, seed=5, save_every_s=0.0)


class _Interrupted(Exception):
    """Stands for the plug being pulled."""


class _Blobs:
    """Two Gaussian clouds; can break off, or poison, a given call of `batch`."""

    monitored = "accuracy"

    def __init__(self, *, stop_at: int = -1, poison_at: int = -1) -> None:
        rng = np.random.default_rng(0)
        self.groups = np.repeat([0, 1], 40).astype(np.int64)
        shift = np.where(self.groups[:, None] == 1, 1.5, -1.5)
        self.points = torch.from_numpy((rng.normal(size=(80, 6)) + shift).astype(np.float32))
        self.shares = even_shares(self.groups)
        self.calls, self.stop_at, self.poison_at = 0, stop_at, poison_at
        self.accuracies: list[float] = []

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        self.calls += 1
        if self.calls == self.stop_at:
            raise _Interrupted
        noise = torch.from_numpy(rng.normal(0, 0.1, (len(indices), 6)).astype(np.float32))
        points = self.points[indices] + noise
        if self.calls == self.poison_at:
            points = points * math.nan
        return points, torch.from_numpy(self.groups[indices])

    def still(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        return self.points[indices], torch.from_numpy(self.groups[indices])

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return nn.functional.cross_entropy(network(batch[0]), batch[1])

    def validate(self, network: nn.Module) -> dict[str, float]:
        if self.accuracies:
            return {"accuracy": self.accuracies.pop(0)}
        guesses = network(self.points).argmax(1).numpy()
        return {"accuracy": float((guesses == self.groups).mean())}


def _network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
        )


def _same(a: nn.Module, b: nn.Module) -> bool:
    ours, theirs = a.state_dict(), b.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("stop_at", [1, 2, 10, 11, 25, 40])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path, stop_at: int) -> None:
    undisturbed = _network()
    history = fit(undisturbed, _Blobs(), PARAMS)
    folder = ResumeFolder(tmp_path / "state")
    with pytest.raises(_Interrupted):
        fit(_network(), _Blobs(stop_at=stop_at), PARAMS, resume=folder)
    resumed = _network()
    assert fit(resumed, _Blobs(), PARAMS, resume=folder) == history
    assert _same(undisturbed, resumed)


def test_a_resumed_training_does_only_what_is_left(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path)
    with pytest.raises(_Interrupted):
        fit(_network(), _Blobs(stop_at=31), PARAMS, resume=folder)
    rest = _Blobs()
    fit(_network(), rest, PARAMS, resume=folder)
    assert rest.calls == 10  # 4 epochs of 10 steps, 30 of them done


def test_training_learns_and_leaves_the_process_as_it_was() -> None:
    torch.manual_seed(99)
    before = torch.get_rng_state()
    history = fit(_network(), _Blobs(), PARAMS)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.are_deterministic_algorithms_enabled()
    accuracies = [row[4] for row in history if row[3] == "accuracy"]
    assert accuracies[-1] >= 0.95
    losses = [row[4] for row in history if row[3] == "loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("filled", [True, False])
def test_memory_is_not_filled_meanwhile_and_the_setting_comes_back(
    filled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deterministic, "fill_uninitialized_memory", filled)
    with reproducible(PARAMS):
        assert torch.are_deterministic_algorithms_enabled()
        assert not deterministic.fill_uninitialized_memory
    assert deterministic.fill_uninitialized_memory is filled


def test_another_seed_gives_other_weights() -> None:
    one, other = _network(), _network()
    fit(one, _Blobs(), PARAMS)
    fit(other, _Blobs(), FitParams(epochs=4, batch=8, lr=0.01, ema=0.9, seed=6))
    assert not _same(one, other)


def test_a_loss_that_is_no_number_names_the_step_and_keeps_the_batch(tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"epoch 1, step 2.*failed_batch\.pt"):
        fit(_network(), _Blobs(poison_at=13), PARAMS, resume=ResumeFolder(tmp_path))
    points, labels = torch.load(tmp_path / "failed_batch.pt", weights_only=True)
    assert points.isnan().all()
    assert len(labels) == PARAMS.batch


def test_early_stopping_keeps_the_best_weights_and_is_off_by_default() -> None:
    params = FitParams(epochs=9, batch=8, lr=0.01, patience=2)
    lesson = _Blobs()
    lesson.accuracies = [0.5, 0.9, 0.8, 0.7, 0.99]
    stopped = _network()
    history = fit(stopped, lesson, params)
    assert max(row[0] for row in history) == 3
    best = _network()
    half = _Blobs(stop_at=21)
    half.accuracies = [0.5, 0.9]
    with pytest.raises(_Interrupted):
        fit(best, half, params)
    best.eval()
    assert _same(stopped, best)


@pytest.mark.parametrize("content", [b"", b"not a state"])
def test_an_unreadable_state_means_starting_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    fresh, over = _network(), _network()
    fit(fresh, _Blobs(), PARAMS)
    fit(over, _Blobs(), PARAMS, resume=ResumeFolder(tmp_path))
    assert _same(fresh, over)


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="free space"):
        ResumeFolder(tmp_path / "file").save({})


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.integers(1, 200),
    st.integers(0, 5),
)
def test_every_group_gets_its_share_and_no_example_comes_early_twice(
    groups: list[int], size: int, seed: int
) -> None:
    codes = np.array(groups, np.int64)
    shares = {0: 2.0, 1: 1.0, 2: 1.0, 3: 1.0}
    order = balanced_order(codes, shares, size, np.random.default_rng(seed))
    assert len(order) == size
    present = set(groups)
    total = sum(shares[group] for group in present)
    for group in present:
        drawn = order[codes[order] == group]
        assert abs(len(drawn) - size * shares[group] / total) <= 1
        counts = np.bincount(drawn, minlength=len(codes))[codes == group]
        assert counts.max() - counts.min() <= 1


@given(st.integers(1, 500), st.floats(0.0, 0.5))
def test_the_rate_rises_to_lr_and_falls_to_nothing(total: int, warm_up: float) -> None:
    params = FitParams(epochs=1, batch=1, lr=0.1, warm_up=warm_up)
    rates = [learning_rate(step, total, params) for step in range(total)]
    top = int(np.argmax(rates))
    assert max(rates) <= params.lr + 1e-12
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert min(rates) > 0
