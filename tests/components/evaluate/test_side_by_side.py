"""Public models in the report of an evaluation; the pictures that int8 forms are calibrated on."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from components.evaluate import EvaluateParams, evaluate_model
from components.train import TrainParams, train_model
from support.crops import make_crops
from support.pretrained import weights_folder
from vultus.contracts.evaluation import EvaluationReport
from vultus.contracts.faces import FaceCrops
from vultus.contracts.words import Task
from vultus.errors import BadParameter
from vultus.storage import FolderStore

QUICK = {"replicates": 60, "worst": 0, "condition_faces": 0}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crops, and the untouched SFace as a checkpoint."""
    folder = tmp_path_factory.mktemp("beside")
    store = FolderStore(folder / "store")
    crops = make_crops(folder / "crops", store, subjects=12)
    train_model(crops, folder / "checkpoint", TrainParams(task=Task.RECOGNITION, epochs=0),
                store=store, tracker=None, resume=folder / "resume",
                weights=weights_folder("sface"))  # fmt: skip
    return folder


def _evaluated(root: Path, out: Path, weights: Path, *beside: str) -> EvaluationReport:
    params = EvaluateParams.model_validate({**QUICK, "beside": beside})
    store = FolderStore(root / "store")
    evaluate_model(root / "checkpoint", root / "crops", out, params, store=store, weights=weights)
    return EvaluationReport.open(out)


@pytest.mark.slow
def test_public_models_stand_in_the_report_where_they_are_named(root: Path, tmp_path: Path) -> None:
    """The table is in the page, and no figure of the model itself moves."""
    weights = weights_folder("sface", "resnet29")
    beside = _evaluated(root, tmp_path / "beside", weights, "resnet29")
    alone = _evaluated(root, tmp_path / "alone", weights)
    page = (beside.path / "report.html").read_text()
    for word in ("Recognition models side by side", "this model", "resnet29", "CC0-1.0", "ms int8"):
        assert word in page
    assert "side by side" not in (alone.path / "report.html").read_text()
    assert beside.figures == alone.figures


def test_pictures_to_calibrate_on_are_named_from_the_train_split(
    root: Path, tmp_path: Path
) -> None:
    report = _evaluated(root, tmp_path / "out", tmp_path)
    named = report.table("calibration.parquet")["picture"].to_pylist()
    faces = FaceCrops.open(root / "crops").crops
    rows = faces.filter(pc.is_in(faces["chip_sha256"], pa.array(named)))
    assert len(named) == len(set(named)) > 0
    assert set(rows["split"].to_pylist()) == {"train"}


def test_a_model_that_is_not_public_cannot_stand_beside(root: Path, tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="of this task there are sface, resnet29"):
        _evaluated(root, tmp_path / "out", tmp_path, "npm-liveness")


def test_public_models_may_be_named_in_one_word() -> None:
    assert EvaluateParams.model_validate({"beside": "all"}).beside == ("all",)
    assert EvaluateParams.model_validate({"beside": "a, b"}).beside == ("a", "b")
