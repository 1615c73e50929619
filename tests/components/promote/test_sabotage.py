"""A sabotaged candidate goes the whole way, by the command line, and stops at the gate."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from pipelines.cli import app
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.artifact import MANIFEST
from vultus.contracts.home import Home
from vultus.contracts.models import Checkpoint
from vultus.registry import MlflowRegistry
from vultus.registry.choice import sqlite_uri
from vultus.signing import ChampionPointer
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow


def vultus(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def step(verb: str, place: Path, *words: str, code: int = 0) -> None:
    """One step on folders below `place`: `model` is an input, `>version` the output."""
    command = ["step", verb]
    for word in words:
        name = word.removeprefix(">")
        command += ["--out" if word.startswith(">") else "--in", f"{name}={place / name}"]
    result = vultus(*command, *(["--set", "inputs=4"] if verb == "export" else []))
    assert result.exit_code == code, result.output


def to_the_gate(place: Path, crops: Path, *, code: int) -> None:
    """evaluate -> export -> register -> promote of the checkpoint in `place`."""
    (place / "crops").symlink_to(crops)
    step("evaluate", place, "checkpoint", "crops", ">evaluation")
    step("export", place, "checkpoint", "evaluation", ">model")
    step("register", place, "model", "evaluation", ">version")
    step("promote", place, "version", code=code)


def sabotage(checkpoint: Path, out: Path) -> None:
    """The same network with every kernel's numbers shuffled: same scale, nothing learnt."""
    whole = Checkpoint.open(checkpoint)
    rng = np.random.default_rng(0)
    state = load_file(whole.weights_file)
    shuffled = {
        name: rng.permutation(value.ravel()).reshape(value.shape) if value.ndim > 1 else value
        for name, value in state.items()
    }

    def fill(folder: Path) -> None:
        for name in whole.manifest.sha256:
            if name != MANIFEST:
                (folder / name).write_bytes((whole.path / name).read_bytes())
        save_file(shuffled, folder / "model.safetensors")

    facts = whole.manifest.facts | {"run_id": ""}
    Checkpoint.create(out, fill, made_by="test", facts=facts)


def test_random_weights_are_registered_and_refused_for_all_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    home.weights.symlink_to(weights_folder("sface").absolute())
    monkeypatch.setenv("VULTUS_HOME", str(home.root))
    crops = make_crops(
        tmp_path / "crops", FolderStore(home.store), subjects=24, images=4, attacks=False
    )
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    trained = vultus(
        *("step", "train", "--in", f"crops={crops}", "--in", f"validation={crops}"),
        *("--out", f"checkpoint={good / 'checkpoint'}"),
        *("--set", "task=recognition", "--set", "seed=0", "--set", "epochs=0"),
    )
    assert trained.exit_code == 0, trained.output
    to_the_gate(good, crops, code=0)
    sabotage(good / "checkpoint", bad / "checkpoint")
    to_the_gate(bad, crops, code=1)

    registry = MlflowRegistry(sqlite_uri(home))
    refused, champion = registry.versions("vultus-recognition")
    assert (refused.version, champion.version) == (2, 1)
    assert champion.aliases == ("champion",)
    assert refused.aliases == ()
    assert refused.tags["gate"] == "refused"
    assert "EER" in refused.tags["gate_reasons"]
    rows = {row["version"]: row for row in json.loads(vultus("models", "--json").stdout)}
    assert rows[2]["gate"] == "refused"
    assert rows[2]["reasons"] == refused.tags["gate_reasons"]
    pointer = ChampionPointer.read(home, "vultus-recognition")
    assert pointer is not None
    assert pointer.version == 1
