"""An adapter is kept where validation faces are told apart better with it than by the trunk alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.train.params import TrainParams
from components.train.recognition import EmbeddingLesson, chosen
from components.train.step import train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.models import Checkpoint
from vultus.networks.adapter import AdaptedTrunk, Adapter
from vultus.networks.heads import HEADS, AdapterTraining
from vultus.networks.load import network_from
from vultus.storage import FolderStore

_DIMENSION = 8


def _lesson() -> EmbeddingLesson:
    """Twenty people of five pictures; a light that nobody owns fills the last direction."""
    rng = np.random.default_rng(3)
    people = np.repeat(np.arange(20), 5)
    faces = rng.normal(size=(20, _DIMENSION))[people] + 0.2 * rng.normal(size=(100, _DIMENSION))
    faces[:, -1] = 4 * rng.normal(size=100)
    unit = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return EmbeddingLesson(unit, people, unit, people, lambda _: np.zeros((1, 1, 3), np.uint8))


def _training(last: float) -> AdapterTraining:
    """An adapter that multiplies the last direction."""
    adapter = Adapter(_DIMENSION)
    adapter.start_at(torch.diag(torch.tensor([1.0] * (_DIMENSION - 1) + [last])))
    return AdapterTraining(adapter, HEADS["arcface"](20, _DIMENSION, scale=24, margin=None), 0.0)


def _params(**changes: object) -> TrainParams:
    return TrainParams.model_validate({"task": "recognition", **changes})


def test_one_that_helps_is_kept_and_the_trunk_s_own_figures_stand_beside() -> None:
    training, lesson = _training(0.01), _lesson()
    adapter, said = chosen(training, lesson, _params())
    assert adapter is training.adapter
    assert said["adapter_kept"] == 1
    with torch.no_grad():
        assert lesson.validate(training)["auc"] > said["auc_untouched"] + 0.1


@pytest.mark.parametrize("last", [1.0, 5.0], ids=["no difference", "harm"])
def test_one_that_does_not_help_is_left_out(last: float, caplog: pytest.LogCaptureFixture) -> None:
    training, lesson = _training(last), _lesson()
    adapter, said = chosen(training, lesson, _params())
    assert not adapter.residual.any()
    assert said["adapter_kept"] == 0
    assert "left out" in caplog.text
    adapter, said = chosen(training, lesson, _params(only_better=False))
    assert adapter is training.adapter
    assert said["adapter_kept"] == 1


def test_without_both_kinds_of_pair_nothing_is_judged() -> None:
    lesson, training = _lesson(), _training(5.0)
    alone = EmbeddingLesson(
        lesson.embeddings.numpy(), lesson.groups, lesson.embeddings.numpy()[:5], lesson.groups[:5],
        lambda _: np.zeros((1, 1, 3), np.uint8),
    )  # fmt: skip
    assert chosen(training, alone, _params()) == (training.adapter, {})


@pytest.mark.parametrize("only_better", [True, False])
def test_a_training_that_harms_ends_as_the_trunk(tmp_path: Path, only_better: bool) -> None:
    store = FolderStore(tmp_path / "store")
    params = _params(
        epochs=2, lr=5.0, levelling=0, adapter_pull=0, only_better=only_better, views=1
    )
    report = train_model(
        make_crops(tmp_path / "crops", store),
        tmp_path / "checkpoint",
        params,
        store=store,
        tracker=None,
        resume=tmp_path / "resume",
        weights=weights_folder("sface"),
    )
    network = network_from(Checkpoint.open(tmp_path / "checkpoint"))
    assert isinstance(network, AdaptedTrunk)
    assert bool(network.adapter.residual.any()) is not only_better
    assert report.validation["adapter_kept"] == float(not only_better)
    assert {"auc", "auc_untouched"} <= set(report.validation)
    assert report.epochs == 2
