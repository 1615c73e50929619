"""Two real processes (gloo) train the network that one process trains."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vultus.errors import TrainingFailed
from vultus.networks import ranks
from vultus.networks.engine import HistoryRow, fit
from vultus.networks.resume import ResumeFolder
from vultus.networks.sampling import even_shares
from vultus.networks.schedule import FitParams

PARAMS = FitParams(epochs=3, batch=8, lr=0.01, ema=0.9, seed=5, save_every_s=0.0)
_NOISE = 0.1


class Blobs:
    """Two Gaussian clouds; the augmentation is noise of strength `noise`."""

    monitored = "accuracy"

    def __init__(self, noise: float = 0.0) -> None:
        rng = np.random.default_rng(0)
        self.groups = np.repeat([0, 1], 40).astype(np.int64)
        shift = np.where(self.groups[:, None] == 1, 0.7, -0.7)
        self.points = torch.from_numpy((rng.normal(size=(80, 6)) + shift).astype(np.float32))
        self.shares = even_shares(self.groups)
        self.noise, self.calls, self.poison_at, self.stop_at = noise, 0, -1, -1

    def batch(self, indices: np.ndarray, rng: np.random.Generator) -> tuple[Tensor, ...]:
        self.calls += 1
        if self.calls == self.stop_at:
            raise InterruptedError
        points = self.points[indices]
        points = points + torch.from_numpy(rng.normal(0, self.noise, points.shape)).float()
        if self.calls == self.poison_at and ranks.rank() == 1:
            points = points * float("nan")
        return points, torch.from_numpy(self.groups[indices])

    def still(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        return self.points[indices], torch.from_numpy(self.groups[indices])

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        return nn.functional.cross_entropy(network(batch[0]), batch[1])

    def validate(self, network: nn.Module) -> dict[str, float]:
        assert ranks.rank() == 0, "process 0 alone validates"
        return {"accuracy": float((network(self.points).argmax(1).numpy() == self.groups).mean())}


def network_of(kind: str) -> nn.Module:
    """`plain`, or `full` with what depends on the share: BatchNorm and dropout."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        if kind == "plain":
            return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
        return nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2)
        )


_CHILD = """
import json, sys
from pathlib import Path
import torch
from components.train.world import joined, world_of
import os, test_ranks
from vultus.networks.resume import ResumeFolder
kind, noise, poison, stop, root = json.loads(sys.argv[1])
world = world_of(os.environ)
with joined(world, "cpu"):
    lesson = test_ranks.Blobs(noise)
    lesson.poison_at, lesson.stop_at = poison, stop
    network = test_ranks.network_of(kind)
    resume = ResumeFolder(Path(root) / f"resume-{world.rank}")
    try:
        history = test_ranks.fit(network, lesson, test_ranks.PARAMS, resume=resume)
        said = {"history": history}
    except (test_ranks.TrainingFailed, InterruptedError) as error:
        said = {"error": str(error)}
    torch.save(network.state_dict(), Path(root) / f"weights-{world.rank}.pt")
    (Path(root) / f"said-{world.rank}.json").write_text(json.dumps(said))
"""


def _two(
    root: Path, kind: str, noise: float = 0.0, poison: int = -1, stop: int = -1
) -> list[dict[str, object]]:
    """What each of two processes says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, json.dumps([kind, noise, poison, stop, str(root)])],
            env={**os.environ, **shared, "RANK": rank, "LOCAL_RANK": rank, "PYTHONPATH": path},
        )
        for rank in ("0", "1")
    ]
    assert [process.wait(timeout=120) for process in running] == [0, 0]
    return [json.loads((root / f"said-{rank}.json").read_text()) for rank in (0, 1)]


def _weights(root: Path, rank: int) -> dict[str, Tensor]:
    kept: dict[str, Tensor] = torch.load(root / f"weights-{rank}.pt", weights_only=True)
    return kept


def _curve(history: object) -> list[float]:
    assert isinstance(history, list)
    return [row[4] for row in history]


def _one(kind: str, noise: float, accumulate: int) -> tuple[list[HistoryRow], nn.Module]:
    network = network_of(kind)
    params = FitParams(**{**vars(PARAMS), "accumulate": accumulate})
    return fit(network, Blobs(noise), params), network


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    said = _two(tmp_path, "plain")
    history, network = _one("plain", 0.0, accumulate=1)
    assert said[0] == said[1]
    assert _curve(said[0]["history"]) == pytest.approx(_curve(history), abs=1e-6)
    for rank in (0, 1):
        for name, value in _weights(tmp_path, rank).items():
            torch.testing.assert_close(value, network.state_dict()[name], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_a_share_is_augmented_normalised_and_dropped_alike_wherever_it_is_worked_off(
    tmp_path: Path,
) -> None:
    """Two processes against one that works the batch off in two parts: dropout, noise and all."""
    said = _two(tmp_path, "full", _NOISE)
    history, network = _one("full", _NOISE, accumulate=2)
    assert _curve(said[0]["history"]) == pytest.approx(_curve(history), abs=1e-6)
    ours, first, second = network.state_dict(), _weights(tmp_path, 0), _weights(tmp_path, 1)
    assert all(torch.equal(first[name], second[name]) for name in ours)
    for name, value in ours.items():  # the running statistics too
        torch.testing.assert_close(first[name], value, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_two_processes_go_on_from_one_state(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    cut = tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    undisturbed = _two(whole, "full", _NOISE)
    assert "error" in _two(cut, "full", _NOISE, stop=14)[0]
    assert not (cut / "resume-1" / "state.pt").exists(), "process 0 alone writes the state"
    assert _two(cut, "full", _NOISE) == undisturbed
    ours, theirs = _weights(whole, 1), _weights(cut, 1)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.slow
def test_a_loss_that_is_no_number_stops_all_and_one_keeps_the_batch(tmp_path: Path) -> None:
    first, second = _two(tmp_path, "plain", poison=13)
    assert "epoch 1, step 2" in str(first["error"])
    assert "another process" in str(first["error"])
    assert "failed_batch.pt" in str(second["error"])
    points, _ = torch.load(tmp_path / "resume-1" / "failed_batch.pt", weights_only=True)
    assert points.isnan().all()


def test_a_batch_too_small_to_share_is_refused() -> None:
    params = FitParams(epochs=1, batch=8, lr=0.01, accumulate=5)
    with pytest.raises(TrainingFailed, match=r"batch of 8.*5 part.*train\.batch=10"):
        fit(network_of("plain"), Blobs(), params)


def test_parts_of_a_batch_add_up_to_the_batch() -> None:
    whole, _ = _one("plain", 0.0, accumulate=1)
    parts, _ = _one("plain", 0.0, accumulate=3)  # 8 examples: 3 + 3 + 2, each weighs as much
    assert _curve(parts) == pytest.approx(_curve(whole), abs=1e-6)


def test_alone_nothing_is_shared(tmp_path: Path) -> None:
    device = torch.device("cpu")
    assert (ranks.size(), ranks.rank(), ranks.local_rank()) == (1, 0, 0)
    assert ranks.total(2.5, device) == 2.5
    assert ranks.shared_state({"epoch": 1}, device) == {"epoch": 1}
    assert ResumeFolder(tmp_path).load() is None
