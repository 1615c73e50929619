"""What a PAD training is given at its worst: for every network, stopped or gone through, and said."""

from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from components.evaluate import EvaluateParams, evaluate_model
from components.train import TrainParams, TrainReport, train_model
from components.train.describing import Describer
from components.train.pictures import rows_of
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.contracts.models import Checkpoint
from vultus.contracts.words import Split
from vultus.errors import NoTrials, TrainingFailed
from vultus.networks.lite0 import Lite0
from vultus.networks.load import network_from
from vultus.networks.resume import ResumeFolder
from vultus.storage import FolderStore

NETWORKS = get_args(TrainParams.model_fields["pad_network"].annotation)
QUICK = {"task": "liveness", "pad_member": "own", "views": 1, "epochs": 1, "pad_side": 64}
CHEAP = ("lite0-frozen", "compact")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def train(root: Path, store: FolderStore, name: str, **params: Any) -> TrainReport:
    return train_model(
        root / "crops",
        root / "checkpoint",
        TrainParams.model_validate({**QUICK, "pad_network": name, **params}),
        store=store,
        tracker=None,
        resume=root / "resume",
        weights=weights_folder(*(["lite0"] if name == "lite0-frozen" else [])),
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_data_without_attacks_teach_nothing(tmp_path: Path, store: FolderStore, name: str) -> None:
    make_crops(tmp_path / "crops", store, subjects=3, images=2, attacks=False)
    with pytest.raises(TrainingFailed, match=r"2 bona fide and 0 attack .* needs both"):
        train(tmp_path, store, name)
    assert not (tmp_path / "checkpoint").exists()


@pytest.mark.parametrize("name", CHEAP)
def test_one_picture_a_subject_is_enough(tmp_path: Path, store: FolderStore, name: str) -> None:
    make_crops(tmp_path / "crops", store, subjects=12, images=1)
    assert train(tmp_path, store, name).examples == 8
    evaluate_model(
        tmp_path / "checkpoint",
        tmp_path / "crops",
        tmp_path / "out",
        EvaluateParams(replicates=50, worst=0, max_bpcer=0.5),
        store=store,
    )
    figure = EvaluationReport.open(tmp_path / "out").figure("pad_auc")
    assert figure is not None
    assert figure.n == 8


@pytest.mark.parametrize("name", CHEAP)
def test_one_subject_trains_but_cannot_be_judged(
    tmp_path: Path, store: FolderStore, name: str
) -> None:
    make_crops(tmp_path / "crops", store, subjects=1)
    report = train(tmp_path, store, name)
    assert (report.examples, report.validation) == (8, {})
    network_from(Checkpoint.open(tmp_path / "checkpoint"))
    with pytest.raises(NoTrials, match="validation split gives the panel 0 bona fide and 0 attack"):
        evaluate_model(
            tmp_path / "checkpoint",
            tmp_path / "crops",
            tmp_path / "out",
            EvaluateParams(),
            store=store,
        )


@pytest.mark.parametrize("name", ["compact", "mobilenet-v3-small"])
def test_a_loss_that_is_no_number_leaves_its_batch(
    tmp_path: Path, store: FolderStore, name: str
) -> None:
    make_crops(tmp_path / "crops", store, subjects=3)
    with pytest.raises(TrainingFailed, match=r"no number at epoch \d+, step \d+.*failed_batch"):
        train(tmp_path, store, name, lr=1e38, epochs=20, batch=4, pad_auxiliary={"pixel": 1})
    (file,) = (tmp_path / "resume").rglob("failed_batch.pt")
    crops, groups = torch.load(file, weights_only=True)
    assert crops.shape == (4, 6, 64, 64)
    assert bool(torch.isfinite(crops).all())
    assert 0 in groups


def test_features_that_are_no_numbers_leave_their_crops(tmp_path: Path, store: FolderStore) -> None:
    make_crops(tmp_path / "crops", store, subjects=3)
    columns = ("context_sha256", "context_box", "species")
    rows = rows_of(FaceCrops.open(tmp_path / "crops").crops, Split.TRAIN, columns)
    trunk = Lite0().eval().requires_grad_(False)
    next(trunk.parameters()).fill_(torch.nan)
    params = TrainParams.model_validate({"task": "liveness", "pad_scales": (2.7,)})
    describer = Describer(trunk, params, store, ResumeFolder(tmp_path / "state"), 60.0)
    with pytest.raises(TrainingFailed, match=r"pictures 0 to 7 are no numbers.*failed_batch"):
        describer.described("train", rows, 2)
    (crops,) = torch.load(tmp_path / "state" / "failed_batch.pt", weights_only=True)
    assert (crops.shape, crops.dtype) == ((8, 2, 3, 96, 96), torch.uint8)
