"""The pairs that a recogniser nearly mixes up: which ones, and that they reach the tracker."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from torch import Tensor, nn

from components.train import TrainParams, train_model
from components.train.pairs import PairLesson
from support.crops import make_crops
from support.pretrained import weights_folder
from support.tracking import Tracking
from vultus.metrics import auc, equal_error_rate
from vultus.networks.sampling import Indices
from vultus.storage import FolderStore

pytestmark = pytest.mark.slow


class _Fixed(PairLesson):
    """Embeddings that no network changes."""

    def __init__(self, vectors: np.ndarray, subjects: Indices) -> None:
        pictures = np.arange(len(subjects), dtype=np.uint8)
        super().__init__(subjects, lambda n: np.full((8, 8, 3), pictures[n], np.uint8))
        self._vectors = vectors

    def vectors(self, network: nn.Module) -> np.ndarray:
        return self._vectors


def _lesson(subjects: list[int], seed: int = 0) -> _Fixed:
    vectors = np.random.default_rng(seed).normal(size=(len(subjects), 4)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return _Fixed(unit, np.array(subjects, np.int64))


def test_figures_are_those_of_all_pairs_one_by_one() -> None:
    lesson = _lesson([0, 0, 1, 1, 2])
    vectors, people = lesson.vectors(nn.Identity()), [0, 0, 1, 1, 2]
    pairs = [(a, b) for a in range(5) for b in range(a + 1, 5)]
    scores = np.array([vectors[a] @ vectors[b] for a, b in pairs], np.float32)
    mated = np.array([people[a] == people[b] for a, b in pairs])
    found = lesson.validate(nn.Identity())
    assert found == pytest.approx(
        {"auc": auc(scores, mated), "eer": equal_error_rate(scores, mated)}, abs=1e-6
    )


def test_nearest_strangers_and_farthest_mates_come_in_turn_and_worst_first() -> None:
    lesson = _lesson([0, 0, 0, 1, 1, 1, 2, 2])
    lesson.validate(nn.Identity())
    hardest = lesson.hardest(nn.Identity(), 6)
    truths = [lesson.shown(pair)[1] for pair, _ in hardest]
    assert truths == ["non-mated", "mated"] * 3
    strangers, mates = hardest[::2], hardest[1::2]
    assert [score for _, score in strangers] == sorted((s for _, s in strangers), reverse=True)
    assert [score for _, score in mates] == sorted(score for _, score in mates)
    everything = lesson.hardest(nn.Identity(), 1000)
    assert strangers[0][1] == max(s for p, s in everything if lesson.shown(p)[1] == "non-mated")
    assert mates[0][1] == min(s for p, s in everything if lesson.shown(p)[1] == "mated")
    picture, _ = lesson.shown(mates[0][0])
    left, right = picture[0, 0, 0], picture[0, -1, 0]
    vectors = lesson.vectors(nn.Identity())
    assert vectors[left] @ vectors[right] == pytest.approx(mates[0][1], abs=1e-6)


@pytest.mark.parametrize("subjects", [[], [0], [0, 1, 2], [0, 0]])
def test_without_both_kinds_of_pair_nothing_is_said_or_shown(subjects: list[int]) -> None:
    lesson = _lesson(subjects)
    assert lesson.validate(nn.Identity()) == {}
    assert lesson.hardest(nn.Identity(), 4) == []


def test_a_lesson_of_recognition_is_its_networks_loss() -> None:
    class Twice(nn.Module):
        def forward(self, value: Tensor) -> Tensor:
            return 2 * value

    assert _lesson([0, 1]).loss(Twice(), (Tensor([3.0]),)) == 6


@pytest.mark.parametrize("network", ["sface", "edge"])
def test_every_epoch_has_a_sheet_in_mlflow(
    network: str, mlflow_file: Tracking, tmp_path: Path
) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store, subjects=9, attacks=False)
    small = {"network_options": {"dimension": 32, "width": 0.25}} if network == "edge" else {}
    report = train_model(
        tmp_path / "crops",
        tmp_path / "checkpoint",
        TrainParams.model_validate(
            {"task": "recognition", "network": network, "epochs": 2, "batch": 4, **small}
        ),
        store=store,
        tracker=mlflow_file.tracker,
        resume=tmp_path / "resume",
        weights=weights_folder("sface"),
    )
    for epoch in ("000", "001"):
        (file,) = mlflow_file.home.mlflow_artifacts.rglob(
            f"{report.run_id}/artifacts/epochs/{epoch}/hardest.png"
        )
        sheet = cv2.imread(str(file))
        assert sheet is not None
        assert sheet.shape[1] == 6 * 160
