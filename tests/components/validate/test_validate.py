"""Validation stops what would mislead, and says what, where and which rows."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.validate import ValidateParams, validate_crops
from support.crops import make_crops
from vultus.contracts.faces import CROP_SCHEMA, FACE_SCHEMA, FaceCrops, RawFaces, ValidationReport
from vultus.errors import BadArtifact, BadData
from vultus.storage import FolderStore

LAX = ValidateParams(
    min_subjects_train=2, min_subjects_per_split=1, min_unified_quality=0, min_box_px=5
)
Rows = list[dict[str, Any]]


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    store = FolderStore(tmp_path / "store")
    return make_crops(tmp_path / "crops", store, subjects=9, images=3, raw=tmp_path / "raw")


def spoilt(crops: Path, spoil: Callable[[Rows], None]) -> Path:
    """The same artifact, and the RawFaces beside it, with changed rows."""
    old, raw = FaceCrops.open(crops), RawFaces.open(crops.parent / "raw")
    rows = old.crops.to_pylist()
    spoil(rows)
    table = pa.Table.from_pylist(rows, CROP_SCHEMA)
    faces = table.select(FACE_SCHEMA.names)
    nothing = raw.quarantine
    new = RawFaces.write(raw.path, faces=faces, quarantine=nothing, made_by="test", facts={})
    facts = old.manifest.facts | {"raw_digest": new.digest}
    FaceCrops.write(crops, crops=table, quarantine=nothing, made_by="test", facts=facts)
    return crops


def refusal(crops: Path, params: ValidateParams = LAX) -> tuple[str, Rows]:
    """What validation says, and the rows it names."""
    out = crops.parent / "valid"
    with pytest.raises(BadData) as caught:
        validate_crops(crops.parent / "raw", crops, out, params)
    assert not out.exists()
    rows = pq.read_table(crops.parent / "valid.refused" / "offending.parquet").to_pylist()
    with (crops.parent / "valid.refused" / "offending.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(rows)
    return str(caught.value), rows


@pytest.mark.slow
def test_good_data_passes_and_keeps_its_docs(crops: Path, tmp_path: Path) -> None:
    even = LAX.model_copy(update={"min_split_chance": 0.5, "required_attributes": ("sex",)})
    report = validate_crops(tmp_path / "raw", crops, tmp_path / "valid", even)
    artifact = ValidationReport.open(tmp_path / "valid")
    assert report.expectations >= 50
    assert (artifact.path / "data_docs" / "index.html").is_file()
    assert pq.read_table(artifact.path / "offending.parquet").num_rows == 0


@pytest.mark.slow
def test_a_subject_in_two_splits_stops_the_run_and_its_rows_are_named(crops: Path) -> None:
    mine: list[str] = []

    def spoil(rows: Rows) -> None:
        victim = next(row["subject"] for row in rows if row["split"] == "train")
        mine.extend(row["image_sha256"] for row in rows if row["subject"] == victim)
        next(row for row in rows if row["subject"] == victim)["split"] = "test"

    said, rows = refusal(spoilt(crops, spoil))
    assert "faces.splits_of_subject" in said
    assert "raw.splits_of_subject" in said
    assert "offending.parquet" in said
    named = [row for row in rows if (row["table"], row["column"]) == ("faces", "splits_of_subject")]
    assert [row["image_sha256"] for row in named] == mine
    assert {row["observed"] for row in named} == {"2"}


@pytest.mark.slow
def test_every_fault_is_found_by_its_own_expectation(crops: Path) -> None:
    def spoil(rows: Rows) -> None:
        rows[0]["quality_sharpness"] = 140.0
        rows[1]["quality_dynamic_range"] = float("nan")
        rows[2]["species"] = "wax" if rows[2]["species"] is None else None
        rows[3]["simulation"] = None if rows[3]["simulated"] else "{}"
        rows[4]["chip_sha256"] = "not a digest"
        rows[5]["presentation"] = "unsure"
        rows[6]["width"] = 0
        rows[7]["image_sha256"] = rows[8]["image_sha256"]
        train, test = (
            next(row for row in rows[9:] if row["split"] == name) for name in ("train", "test")
        )
        train["phash"] = test["phash"] ^ 0b11

    said, rows = refusal(spoilt(crops, spoil))
    for column in (
        "faces.quality_sharpness",
        "faces.quality_dynamic_range",
        "faces.species_fits",
        "faces.simulation_fits",
        "faces.digests_whole",
        "faces.presentation",
        "faces.width",
        "faces.near_duplicate_across_splits",
        "faces.['image', 'face_index']",
        "raw.image",
    ):
        assert column in said
    assert [row["observed"] for row in rows if row["column"] == "quality_sharpness"] == ["140.0"]
    near = [row for row in rows if row["column"] == "near_duplicate_across_splits"]
    assert [row["split"] for row in near] == ["train"]


@pytest.mark.slow
def test_a_word_that_is_no_digest_is_refused_and_counted_as_itself(crops: Path) -> None:
    def spoil(rows: Rows) -> None:
        words = [
            "short",
            "short",
            "",
            "no hex, but as long as the digest of any picture ever is, 64",
            "Z",
        ]
        for row, word in zip(rows, words, strict=False):
            row["image_sha256"] = word

    said, rows = refusal(spoilt(crops, spoil))
    assert "raw.digests_whole" in said
    assert len([row for row in rows if (row["table"], row["column"]) == ("raw", "image")]) == 2
    assert len([r for r in rows if (r["table"], r["column"]) == ("raw", "digests_whole")]) == 5


@pytest.mark.slow
def test_an_uneven_stratum_and_a_missing_attribute_stop_the_run(crops: Path) -> None:
    def spoil(rows: Rows) -> None:
        for row in rows:
            here = "women" if row["split"] == "test" else "men"
            row["attributes"] = [("sex", here)]

    params = LAX.model_copy(update={"min_split_chance": 0.5, "required_attributes": ("age",)})
    said, rows = refusal(spoilt(crops, spoil), params)
    assert "strata.chance" in said
    assert "faces.attribute_age" in said
    assert {row["split"] for row in rows if row["table"] == "strata"} >= {"test"}


@pytest.mark.slow
def test_only_so_many_rows_are_listed(crops: Path) -> None:
    strict = LAX.model_copy(update={"min_box_px": 500, "max_offending_rows": 5})
    said, rows = refusal(crops, strict)
    assert "54 of 54 rows offend" in said
    assert [row["row"] for row in rows if row["column"] == "box_width_px"] == [0, 1, 2, 3, 4]


def test_changed_crops_are_not_even_read(crops: Path, tmp_path: Path) -> None:
    file = crops / "crops" / "part-00000.parquet"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(BadArtifact, match=r"part-00000\.parquet was cut or changed"):
        validate_crops(tmp_path / "raw", crops, tmp_path / "valid", LAX)


def test_crops_of_other_pictures_are_refused(crops: Path, tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    make_crops(tmp_path / "others", store, subjects=3, seed=1, raw=tmp_path / "raw")
    with pytest.raises(BadArtifact, match="was not cut from"):
        validate_crops(tmp_path / "raw", crops, tmp_path / "valid", LAX)
