"""Validation stops what would mislead, and says what, where and which rows."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.validate import ValidateParams, validate_crops
from support.crops import make_crops
from vultus.contracts.faces import FaceCrops, ValidationReport
from vultus.errors import BadArtifact, BadData
from vultus.storage import FolderStore

LAX = ValidateParams(
    min_subjects_train=2, min_subjects_per_split=1, min_unified_quality=0, min_box_px=5
)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    return make_crops(tmp_path / "crops", FolderStore(tmp_path / "store"), subjects=9, images=3)


def changed(crops: Path, out: Path, column: str, values: list[object]) -> Path:
    old = FaceCrops.open(crops)
    place = old.crops.column_names.index(column)
    column_type = old.crops.schema.field(column)
    table = old.crops.set_column(place, column_type, pa.array(values, column_type.type))
    FaceCrops.write(
        out, crops=table, quarantine=old.quarantine, made_by="test", facts=old.manifest.facts
    )
    return out


@pytest.mark.slow
def test_good_data_passes_and_keeps_its_docs(crops: Path, tmp_path: Path) -> None:
    report = validate_crops(crops, tmp_path / "valid", LAX)
    artifact = ValidationReport.open(tmp_path / "valid")
    assert report.expectations >= 15
    assert (artifact.path / "data_docs" / "index.html").is_file()
    assert pq.read_table(artifact.path / "offending.parquet").num_rows == 0


@pytest.mark.slow
def test_a_subject_in_two_splits_stops_the_run(crops: Path, tmp_path: Path) -> None:
    rows = FaceCrops.open(crops).crops.to_pylist()
    splits = [row["split"] for row in rows]
    victim = next(row["subject"] for row in rows if row["split"] == "train")
    mine = [index for index, row in enumerate(rows) if row["subject"] == victim]
    splits[mine[0]] = "test"
    leaky = changed(crops, tmp_path / "leaky", "split", splits)
    with pytest.raises(BadData, match="splits_of_subject") as caught:
        validate_crops(leaky, tmp_path / "valid", LAX)
    assert not (tmp_path / "valid").exists()
    offending = pq.read_table(tmp_path / "valid.refused" / "offending.parquet")
    assert offending.num_rows >= len(mine)
    assert "offending.parquet" in str(caught.value)


def test_changed_crops_are_not_even_read(crops: Path, tmp_path: Path) -> None:
    file = crops / "crops" / "part-00000.parquet"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(BadArtifact, match=r"part-00000\.parquet was cut or changed"):
        validate_crops(crops, tmp_path / "valid", LAX)
