"""Public models in the report of an evaluation; the pictures that int8 forms are calibrated on."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from components.evaluate import EvaluateParams
from support.evaluated import Bench
from support.pretrained import weights_folder
from vultus.errors import BadParameter

pytestmark = pytest.mark.slow


def test_public_models_stand_in_the_report_where_they_are_named(
    faces: Bench, tmp_path: Path
) -> None:
    """The table is in the page, and no figure of the model itself moves."""
    weights = weights_folder("sface", "resnet29")
    beside = faces.evaluate(tmp_path / "beside", weights=weights, beside="resnet29")[1]
    alone = faces.evaluate(tmp_path / "alone", weights=weights)[1]
    page = (beside.path / "report.html").read_text()
    for word in ("Recognition models side by side", "this model", "resnet29", "CC0-1.0", "ms int8"):
        assert word in page
    assert "side by side" not in (alone.path / "report.html").read_text()
    assert beside.figures == alone.figures


def test_pictures_to_calibrate_on_are_named_from_the_train_split(
    faces: Bench, tmp_path: Path
) -> None:
    _, report = faces.evaluate(tmp_path / "out")
    named = report.table("calibration.parquet")["picture"].to_pylist()
    rows = faces.rows.filter(pc.is_in(faces.rows["chip_sha256"], pa.array(named)))
    assert len(named) == len(set(named)) > 0
    assert set(rows["split"].to_pylist()) == {"train"}


def test_a_model_that_is_not_public_cannot_stand_beside(faces: Bench, tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match="of this task there are sface, resnet29"):
        faces.evaluate(tmp_path / "out", weights=tmp_path, beside="npm-liveness")


def test_public_models_may_be_named_in_one_word() -> None:
    assert EvaluateParams.model_validate({"beside": "all"}).beside == ("all",)
    assert EvaluateParams.model_validate({"beside": "a, b"}).beside == ("a", "b")
