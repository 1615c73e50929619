"""Models found by name, by folder, by registry, or all of them; the same training once."""

import os
import shutil
from pathlib import Path

import pytest

from components.train import TrainParams, train_model
from pipelines.models import Models
from support.crops import make_crops
from support.pretrained import weights_folder
from support.versions import recognition_model
from vultus.contracts.home import Home
from vultus.contracts.models import Checkpoint
from vultus.contracts.words import Task
from vultus.errors import BadParameter
from vultus.registry import MlflowRegistry
from vultus.registry.choice import sqlite_uri
from vultus.storage import FolderStore

EDGE = {"network": "edge", "epochs": 1, "batch": 8,
        "network_options": {"width": 0.25, "dimension": 16}}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two runs that trained the same network, an older one with another seed."""
    place = Home(tmp_path_factory.mktemp("models") / ".vultus")
    store = FolderStore(place.store)
    crops = make_crops(place.root / "crops", store)
    for age, (run, seed) in enumerate((("b", 2), ("a", 1))):
        folder = place.runs / run / "train" / "checkpoint"
        params = TrainParams.model_validate({"task": "recognition", "seed": seed, **EDGE})
        train_model(crops, folder, params, store=store, tracker=None,
                    resume=place.resume, weights=place.weights)  # fmt: skip
        os.utime(folder / "manifest.json", (1e9 - age, 1e9 - age))
    again = place.runs / "c" / "train" / "checkpoint"
    again.parent.mkdir(parents=True)
    shutil.copytree(place.runs / "a" / "train" / "checkpoint", again)
    place.weights.symlink_to(weights_folder("sface", "resnet29"))
    return place


@pytest.fixture
def models(home: Home, tmp_path: Path) -> Models:
    home.mlflow_database.parent.mkdir(exist_ok=True)
    return Models(home, MlflowRegistry(sqlite_uri(home)), tmp_path)


def _digest(home: Home, run: str) -> str:
    return Checkpoint.open(home.runs / run / "train" / "checkpoint").digest


@pytest.mark.slow
def test_an_architecture_means_its_newest_training(models: Models, home: Home) -> None:
    os.utime(home.runs / "b" / "train" / "checkpoint" / "manifest.json", (3e9, 3e9))
    found = models.named("edge")
    assert found.digest == _digest(home, "b")
    assert found.provenance.licence == "trained here: Apache-2.0"
    assert found.networks["edge"].is_file()


@pytest.mark.slow
def test_a_folder_is_what_lies_in_it(models: Models, home: Home, tmp_path: Path) -> None:
    assert models.named(str(home.runs / "a")).digest == _digest(home, "a")
    old = models.named(str(recognition_model(tmp_path / "old")))
    assert "gone" in old.provenance.licence, "nothing is known of it, and that is said"
    with pytest.raises(BadParameter, match="holds no Checkpoint"):
        models.named(str(home.runs))


@pytest.mark.slow
def test_an_older_export_is_described_by_its_checkpoint(
    models: Models, home: Home, tmp_path: Path
) -> None:
    model = recognition_model(tmp_path / "old", checkpoint=_digest(home, "a"))
    assert models.named(str(model)).provenance.licence == "trained here: Apache-2.0"


@pytest.mark.slow
def test_all_of_a_task_with_the_same_training_once(models: Models, home: Home) -> None:
    found, missing = models.all_of(Task.RECOGNITION)
    assert [one.name for one in found] == ["sface", "resnet29", "edge", "edge #2"]
    assert {one.digest for one in found} == {"", _digest(home, "a"), _digest(home, "b")}
    assert missing == []


@pytest.mark.slow
def test_a_name_that_means_nothing_is_refused(models: Models) -> None:
    with pytest.raises(BadParameter, match="no network of that name"):
        models.named("deepest")
    with pytest.raises(BadParameter, match="no such version"):
        models.named("models:/vultus-recognition/9")
