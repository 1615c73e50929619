"""MLflow's alias decides: moved there by anybody, commands and server follow."""

from pathlib import Path

import pytest

from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.registry import MlflowRegistry, MlflowTracker
from vultus.registry.choice import sqlite_uri
from vultus.signing import ChampionPointer

NAME = "vultus-pad"


@pytest.mark.slow
def test_an_alias_moved_in_mlflow_moves_the_pointer(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    tracker = MlflowTracker(sqlite_uri(home), home.mlflow_artifacts)
    registry = MlflowRegistry(sqlite_uri(home))
    refs = []
    for number in (1, 2):
        folder = tmp_path / f"made-{number}"
        ModelVersion.create(
            folder,
            lambda place, number=number: (place / "model.onnx").write_text(f"network {number}"),
            made_by="test",
        )
        with tracker.run("test", "test") as run:
            refs.append(registry.register(NAME, folder, run_id=run.run_id, tags={}))
    assert ChampionPointer.read(home, NAME) is None

    registry.set_alias(refs[0], "champion")
    first = ChampionPointer.read(home, NAME)
    assert first is not None
    assert (first.version, (first.path / "model.onnx").read_text()) == (1, "network 1")

    registry.set_alias(refs[1], "champion")
    second = ChampionPointer.read(home, NAME)
    assert second is not None
    assert (second.version, (second.path / "model.onnx").read_text()) == (2, "network 2")


def test_without_mlflow_the_pointer_alone_counts(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert ChampionPointer.read(home, NAME) is None
    ChampionPointer(name=NAME, version=4, path=tmp_path, digest="d").write(home)
    assert ChampionPointer.read(home, NAME).version == 4
