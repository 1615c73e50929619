"""kill -9 in the middle of a training; the same command again ends with the same weights."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.train import TrainParams, train_model
from support.crops import make_crops
from vultus.contracts.models import Checkpoint
from vultus.storage import FolderStore

_PARAMS = {"task": "liveness", "epochs": 25, "batch": 4, "views": 2, "pad_side": 32, "patience": 0}
_PARAMS |= {"pad_member": "own", "pad_network": "compact"}
_COMMAND = """
import sys
from pathlib import Path
from components.train import TrainParams, train_model
from vultus.storage import FolderStore
root = Path(sys.argv[1])
train_model(
    root / "crops", root / "killed", TrainParams.model_validate_json(sys.argv[2]),
    store=FolderStore(root / "store"), tracker=None, resume=root / "resume", weights=root / "weights",
)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store)
    params = TrainParams.model_validate(_PARAMS)
    command = [sys.executable, "-c", _COMMAND, str(tmp_path), params.model_dump_json()]
    with subprocess.Popen(command) as process:
        _wait_for_state(tmp_path / "resume", process)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    subprocess.run(command, check=True, timeout=120)
    train_model(
        tmp_path / "crops",
        tmp_path / "undisturbed",
        params,
        store=store,
        tracker=None,
        resume=tmp_path / "elsewhere",
        weights=tmp_path / "weights",
    )
    killed = Checkpoint.open(tmp_path / "killed")
    undisturbed = Checkpoint.open(tmp_path / "undisturbed")
    assert killed.manifest.sha256 == undisturbed.manifest.sha256


def _wait_for_state(folder: Path, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 120
    while not list(folder.glob("*/state.pt")):
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < give_up, "no training state appeared"
        time.sleep(0.01)
