"""`torchrun … -m components.train`: one process and two end with the same Checkpoint."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import yaml

from components.train.__main__ import main
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.home import Home
from vultus.contracts.models import Checkpoint
from vultus.networks.load import network_from
from vultus.storage import FolderStore

ADAPTER = {"network": "sface", "epochs": 3, "batch": 4, "levelling": 0}
WHOLE = {"network": "edge", "network_options": {"dimension": 32, "width": 0.25}, "epochs": 2}
WHOLE |= {"batch": 8}
_TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with crops in its store, as ingest and crop would leave them."""
    root = tmp_path_factory.mktemp("torchrun")
    home = Home(root / "home")
    make_crops(root / "crops", FolderStore(home.store), subjects=9, attacks=False)
    home.weights.symlink_to(weights_folder("sface"))
    return root


def _curve(checkpoint: Checkpoint) -> dict[tuple[int, str], float]:
    rows = checkpoint.table("history.parquet").to_pylist()
    return {(row["epoch"], row["metric"]): row["value"] for row in rows}


def _torchrun(
    root: Path, processes: int, params: dict[str, object], name: str
) -> tuple[Checkpoint, Sequence[str]]:
    """The Checkpoint, and what the processes wrote to stdout, line by line."""
    (root / f"{name}.yaml").write_text(yaml.safe_dump({"task": "recognition", **params}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"VULTUS_HOME": str(root / "home"), "VULTUS_DEVICE": "cpu", "VULTUS_THREADS": "1"}
    ran = subprocess.run(
        [
            *_TORCHRUN,
            *("--nnodes", "1", "--nproc-per-node", str(processes)),
            *("--master-addr", "127.0.0.1", "--master-port", str(port)),
            *("-m", "components.train", str(root / "crops"), str(root / name)),
            *("--params", str(root / f"{name}.yaml")),
        ],
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith("VULTUS_")},
            **settings,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    said = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    return Checkpoint.open(root / name), said


def _same(root: Path, params: dict[str, object], metrics: set[str]) -> None:
    """Two processes end with the loss curve and the weights of one that works in two parts."""
    name = str(params["network"])
    one, said = _torchrun(root, 1, {**params, "accumulate": 2}, f"{name}-1")
    two, both = _torchrun(root, 2, params, f"{name}-2")
    assert (len(said), len(both)) == (1, 1), "process 0 alone reports"
    curve, other = _curve(one), _curve(two)
    assert len({epoch for epoch, _ in curve}) == params["epochs"]
    assert {"loss", "auc", "eer"} <= {metric for _, metric in curve}
    assert other.keys() == curve.keys()
    asked = [place for place in curve if place[1] in metrics]
    assert [other[p] for p in asked] == pytest.approx([curve[p] for p in asked], abs=1e-5)
    ours, theirs = (network_from(each).state_dict() for each in (one, two))
    for key in ours:
        torch.testing.assert_close(theirs[key], ours[key], atol=1e-4, rtol=1e-3)
    report = json.loads(both[0])
    assert (report["architecture"], report["epochs"]) == (two.architecture.name, params["epochs"])
    assert report["run_id"]
    assert list(Home(root / "home").resume.iterdir()) == []


@pytest.mark.slow
def test_two_processes_fit_the_adapter_of_one(root: Path) -> None:
    _same(root, ADAPTER, {"loss", "auc", "eer", "adapter_drift"})


@pytest.mark.slow
def test_two_processes_train_the_network_of_one(root: Path) -> None:
    """Its BatchNorm too: the statistics are taken again from the same examples in each process."""
    _same(root, WHOLE, {"loss", "auc", "eer"})


def test_a_refused_training_says_why_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path))
    out = str(tmp_path / "out")
    assert main([str(tmp_path / "none"), out, "--set", "task=recognition"]) == 1
    assert "none" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), out, "--set", "task=recognition", "--set", "rl=1"]) == 1
    assert "rl" in capsys.readouterr().err
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main([str(tmp_path / "none"), out, "--set", "task=recognition"]) == 1
    assert "torchrun" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
