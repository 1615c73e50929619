"""Each PAD network with each frequency branch, from crops to an evaluated, exported member."""

from pathlib import Path

import numpy as np
import pytest
import torch

from components.evaluate import EvaluateParams, evaluate_model
from components.export import ExportParams, export_model
from components.train import TrainParams, train_model
from components.train.lesson import CropLesson
from components.train.step import begun_with
from support.crops import make_crops
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.models import Checkpoint, OnnxModel
from vultus.errors import BadArtifact, BadParameter, TrainingFailed
from vultus.networks.load import network_from
from vultus.networks.pads.network import HybridPad
from vultus.networks.pads.spectrum import SPECTRA
from vultus.networks.pads.zoo import NO_FREQUENCY, ZOO
from vultus.storage import FolderStore
from vultus.weights import entry

pytestmark = pytest.mark.slow

_QUICK = {
    "task": "liveness",
    "pad_network": "compact",
    "epochs": 2,
    "batch": 8,
    "views": 1,
    "pad_member": "own",
}
CASES = [(name, branch) for name in ZOO for branch in (NO_FREQUENCY, *SPECTRA)]


def _train(root: Path, store: FolderStore, **params: object) -> Checkpoint:
    train_model(
        root / "crops",
        root / "checkpoint",
        TrainParams.model_validate({**_QUICK, **params}),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=root / "weights",
    )
    return Checkpoint.open(root / "checkpoint")


@pytest.mark.parametrize(("name", "branch"), CASES)
def test_it_trains_is_evaluated_and_leaves_as_it_was_trained(
    tmp_path: Path, name: str, branch: str
) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store)
    trained = _train(
        tmp_path,
        store,
        batch=4,
        pad_network=name,
        pad_frequency=branch,
        pad_side=ZOO[name].least_side,
        pad_auxiliary={"fourier": 0.25, "pixel": 0.5, "species": 0.5},
    )
    assert trained.architecture.name == f"{name}-pad"
    network = network_from(trained)
    assert isinstance(network, HybridPad)
    assert (network.branch is None) == (branch == NO_FREQUENCY)
    assert set(trained.table("history.parquet")["epoch"].to_pylist()) == {0, 1}
    evaluate_model(
        tmp_path / "checkpoint",
        tmp_path / "crops",
        tmp_path / "evaluation",
        EvaluateParams(replicates=50, worst=0),
        store=store,
    )
    assert EvaluationReport.open(tmp_path / "evaluation").figure("pad_auc") is not None
    export_model(
        tmp_path / "checkpoint",
        tmp_path / "evaluation",
        tmp_path / "onnx",
        ExportParams(tolerance=1e-4),
        store=store,
    )
    assert OnnxModel.open(tmp_path / "onnx").parity.max_abs_difference <= 1e-4


def test_a_network_that_does_not_fit_is_refused_before_a_picture_is_read(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store)
    gone = FolderStore(tmp_path / "empty")
    with pytest.raises(BadParameter, match=r"pad_side=32 does not fit xception.*at least 64"):
        _train(tmp_path, gone, pad_network="xception", pad_side=32)
    with pytest.raises(BadParameter, match=r"pad_pretrained.*pad_network=compact"):
        _train(tmp_path, gone, pad_pretrained=True)


def test_imagenet_weights_leave_their_licence_with_the_checkpoint(tmp_path: Path) -> None:
    """Asked of the step's own note: the files themselves need a network."""
    given = {**_QUICK, "pad_network": "efficientnet-b0", "pad_side": 64}
    begun = begun_with(TrainParams.model_validate({**given, "pad_pretrained": True}), tmp_path)
    row = entry("efficientnet-b0-imagenet")
    facts = {"licence": row.licence, "training_data": row.training_data}
    assert begun == {"efficientnet-b0-imagenet": facts}
    assert begun_with(TrainParams.model_validate(given), tmp_path) == {}


def test_weights_of_another_architecture_are_refused_by_what_differs(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "crops", store)
    written = _train(tmp_path, store, epochs=1, pad_side=32)
    opened = Checkpoint.open(written.path)
    other = written.architecture.model_copy(update={"name": "minifasnet-pad"})
    (written.path / "architecture.json").write_text(other.model_dump_json())
    with pytest.raises(BadArtifact, match=r"(?s)minifasnet-pad: \d+ missing.*not of this network"):
        network_from(opened)


def _lesson(groups: list[int], validation: list[int]) -> CropLesson:
    """Crops of one grey each: bona fide light, attacks dark."""

    def crops(of: list[int]) -> np.ndarray:
        levels = np.array([200 if group == 0 else 40 for group in of], np.uint8)
        return np.broadcast_to(levels[:, None, None, None], (len(of), 6, 32, 32)).copy()

    params = TrainParams.model_validate({"task": "liveness", "pad_side": 32})
    train = (crops(groups)[:, None], np.array(groups, np.int64))
    return CropLesson(train, (crops(validation), np.array(validation, np.int64)), params)


class _Bright(torch.nn.Module):
    """Logit = brightness; the second presentation is read the wrong way round, the third even more."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        logits = crops.mean((1, 2, 3))
        logits[1:2] *= -1
        logits[2:3] *= -3
        return logits


def test_confusion_and_the_hardest_errors() -> None:
    lesson = _lesson([0, 1], [0, 0, 1, 1, 3])
    assert lesson.confusion(_Bright()) == {
        "bona_fide": {"bona_fide": 1, "attack": 1},
        "print": {"bona_fide": 1, "attack": 1},
        "mask": {"bona_fide": 0, "attack": 1},
    }
    (worst, high), (next_worst, low) = lesson.hardest(_Bright(), 5)
    assert (worst, next_worst) == (2, 1)
    assert high == pytest.approx(1 / (1 + np.exp(-3 * 87.5 / 128)), abs=1e-5)
    assert low < 0.5
    assert len(lesson.hardest(_Bright(), 1)) == 1
    picture, species = lesson.shown(2)
    assert (picture.shape, picture.dtype, species) == ((32, 64, 3), np.uint8, "print")


def test_a_species_with_one_example_keeps_its_share() -> None:
    lesson = _lesson([0] * 6 + [1] * 5 + [3], [0, 3])
    assert lesson.shares == {0: 0.5, 1: 0.25, 3: 0.25}
    assert set(lesson.validate(_Bright())) == {"auc", "auc_mask"}
    assert _lesson([0, 1], []).validate(_Bright()) == {}
    assert _lesson([0, 1], []).confusion(_Bright()) == {}


def test_what_is_no_pad_network_is_not_trained() -> None:
    lesson = _lesson([0, 1], [])
    batch = lesson.batch(np.array([0, 1]), np.random.default_rng(0))
    with pytest.raises(TrainingFailed, match="_Bright"):
        lesson.loss(_Bright(), batch)
