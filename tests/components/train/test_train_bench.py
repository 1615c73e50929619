"""The loops that bench-train measures against learn what ours learns, or its ratios mean nothing."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import train, train_head
from benchmarks.train_naive import Bench, first_adapter, naive_adapter, naive_pad
from benchmarks.train_turns import ours
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.networks.frozen_pad import SCALES, SIDE
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drawn faces where the bench looks for rendered ones."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("VULTUS_HOME", str(weights_folder("sface", "lite0").parent))
    make_crops(tmp_path / "crops", FolderStore(home.store), subjects=9)
    return tmp_path


def _bench(root: Path, **params: Any) -> Bench:
    return train.bench_of(root, train.all_to_train(FaceCrops.open(root / "crops").crops), params)


def _same(ours_: list[float], naive: list[float]) -> None:
    assert len(ours_) == len(naive) > 1
    assert naive[-1] != naive[0]
    assert ours_ == pytest.approx(naive, abs=0.02 * naive[0])


def test_an_adapter_is_taught_alike(root: Path) -> None:
    bench = _bench(root, task="recognition", epochs=3)
    bench = replace(bench, first=first_adapter(bench))
    _same(ours(bench, bench.settings(1)), naive_adapter(bench, bench.settings(1)))


def test_a_pad_network_is_taught_alike(root: Path) -> None:
    params = {"task": "liveness", "pad_network": "compact", "pad_side": 32, "epochs": 2}
    bench = _bench(root, **params, lr=3e-4)
    _same(ours(bench, bench.settings(1)), naive_pad(bench, bench.settings(1)))


def test_the_loop_comes_near_the_least_loss_and_never_below(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _bench(root, task="liveness", epochs=40)
    seen = train_head.features_of(bench := train_head.shown(bench))
    bench = replace(bench, first=train_head.standard(bench, seen))
    ours(bench, bench.settings(1))
    mine = train_head.head_of(bench)
    least = train_head.loss_of(bench, seen, mine)
    losses = [
        train_head.loss_of(bench, seen, train_head.worn(bench, layer))
        for layer in train_head.naive_head(bench, bench.settings(1))
    ]
    assert min(losses) >= least * (1 - 1e-5)
    assert losses[-1] == pytest.approx(least, rel=0.05)
    assert (bench.params.pad_side, bench.params.pad_scales) == (SIDE, SCALES)
    np.testing.assert_allclose(mine.mean, bench.first["mean"], atol=1e-3)
