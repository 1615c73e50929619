"""The dataset report: planted faults are found, the page needs no network, names stay out."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from components.crop import CropParams, crop_faces
from components.ingest import IngestParams, ingest_faces
from components.validate import ValidateParams, validate_crops
from components.validate.difference import write_difference
from components.validate.page_training import Changes, Recipes
from components.validate.report import DatasetReport, dataset_report, packaged_encoder
from support.crops import make_crops
from support.flawed import write_flawed
from support.heads import weights_folder
from vultus.contracts.arrays import RgbImage
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.dataset.survey import SurveyParams
from vultus.errors import BadData
from vultus.storage import FolderStore

FILES = ["figures.json", "report.html", "report.pdf", "suspects.csv"]


class MeanColour:
    """An Encoder that needs no weights: drawn subjects differ in the colour of their skin."""

    dimension = 12

    def encode(self, chips: np.ndarray) -> np.ndarray:
        tiles = chips.reshape(len(chips), 2, 56, 2, 56, 3).mean(axis=(2, 4)).reshape(len(chips), -1)
        centred = tiles - 128
        return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True), np.float32)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[FaceCrops, FolderStore]:
    place = tmp_path_factory.mktemp("drawn")
    store = FolderStore(place / "store")
    return FaceCrops.open(make_crops(place / "crops", store, subjects=9, images=4)), store


def test_the_page_stands_alone_and_says_what_it_shows(
    drawn: tuple[FaceCrops, FolderStore], tmp_path: Path
) -> None:
    crops, store = drawn
    DatasetReport(store=store, encoder=MeanColour()).write(crops, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == FILES
    page = (tmp_path / "report.html").read_text()
    linked = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page)
    assert [one for one in linked if not one.startswith(("data:image/jpeg;base64,", "#"))] == []
    assert "faces of real people" in page  # the source says nothing of being rendered
    for heading in ("Who is in it", "What this data cannot support", "Suspects to look at",
                    "What was quarantined", "Attack presentations"):  # fmt: skip
        assert f">{heading}</h2>" in page
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["noise"]["pictures"] == 36


def test_it_shows_what_training_will_do_to_these_pictures(
    drawn: tuple[FaceCrops, FolderStore], tmp_path: Path
) -> None:
    crops, store = drawn
    given: dict[str, int] = {}

    def told(task: str) -> Changes:
        def changes(pictures: Sequence[RgbImage]) -> Iterator[tuple[str, list[RgbImage]]]:
            given[task] = len(pictures)
            yield f"turned for {task}.", [picture[::-1] for picture in pictures]

        return changes

    recipes = Recipes(recognition=told("recognition"), liveness=told("PAD"))
    DatasetReport(store=store, recipes=recipes).write(crops, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert given == {"recognition": 3, "PAD": 6}, "the subjects of train; both classes"
    assert "turned for recognition." in page
    assert "turned for PAD." in page
    assert "overlook the cue" in page
    bona_fide = FaceCrops.open(make_crops(tmp_path / "crops", store, subjects=4, attacks=False))
    DatasetReport(store=store, recipes=recipes).write(bona_fide, tmp_path)
    assert "turned for PAD." not in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_the_same_version_gives_the_same_page(
    drawn: tuple[FaceCrops, FolderStore], tmp_path: Path
) -> None:
    crops, store = drawn
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        DatasetReport(store=store, encoder=MeanColour()).write(crops, tmp_path / name)
    for file in FILES:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.slow
def test_without_weights_it_says_why_the_labels_were_not_judged(
    drawn: tuple[FaceCrops, FolderStore], tmp_path: Path
) -> None:
    crops, store = drawn
    found = dataset_report(SurveyParams(), store, tmp_path / "no weights").write(crops, tmp_path)
    assert found.noise is None
    assert "vultus weights fetch sface" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_without_a_store_the_figures_are_there_all_the_same(
    drawn: tuple[FaceCrops, FolderStore], tmp_path: Path
) -> None:
    found = DatasetReport().write(drawn[0], tmp_path)
    assert found.census.rows == 72
    assert "data:image/jpeg" not in (tmp_path / "report.html").read_text()


def test_a_comparison_shows_what_came(drawn: tuple[FaceCrops, FolderStore], tmp_path: Path) -> None:
    crops, store = drawn
    grown = FaceCrops.open(make_crops(tmp_path / "grown", store, subjects=12, images=4))
    found = write_difference(crops, grown, tmp_path / "diff", DatasetReport(store=store))
    assert (found.subjects.came, found.subjects.went) == (3, 0)
    page = (tmp_path / "diff" / "report.html").read_text()
    assert "24 pictures came and 0 went" in page
    assert "data:image/jpeg" in page


@pytest.mark.slow
def test_every_planted_fault_is_found_though_the_suite_refuses(tmp_path: Path) -> None:
    store, weights = FolderStore(tmp_path / "store"), weights_folder()
    encoder, why = packaged_encoder(weights)
    if encoder is None:
        pytest.skip(why)
    source = str(write_flawed(tmp_path / "people"))
    shares = dict.fromkeys(("print_share", "replay_share", "mask_share", "recapture_share"), 0.0)
    ingest_faces(
        tmp_path / "raw",
        IngestParams(source=source, tight_share=0, **shares),
        store=store,
        pseudonym_key=b"k" * 32,
        weights=weights,
        journals=tmp_path / "ingest",
    )
    crop_faces(tmp_path / "raw", tmp_path / "crops", CropParams(), store=store)
    writer = DatasetReport(store=store, encoder=encoder)
    with pytest.raises(BadData, match=r"dataset report: .*validation\.refused/report\.html"):
        validate_crops(
            tmp_path / "raw",
            tmp_path / "crops",
            tmp_path / "validation",
            ValidateParams(min_subjects_train=50),
            report=writer.write,
        )
    folder = tmp_path / "validation.refused"
    figures = json.loads((folder / "figures.json").read_text())
    assert (figures["noise"]["strays"], figures["noise"]["twins"]) == (1, 1)
    assert figures["duplicates"]["within"] == 1
    assert figures["quarantine"] == {"near_duplicate_two_identities": 2, "bad_image": 1}
    topics = {one["topic"] for one in figures["cannot_support"]}
    assert {"false matches", "attacks", "bias", "light", "size", "licence", "time"} <= topics
    with (folder / "suspects.csv").open() as stream:
        kinds = [line["kind"] for line in csv.DictReader(stream)]
    assert kinds == [
        "looks_like_another_subject",
        "two_subjects_alike",
        "near_duplicate_one_subject",
    ]
    written = (folder / "report.html").read_text() + (folder / "suspects.csv").read_text()
    assert "person-" not in written  # the folder's names are the people's
    assert RawFaces.open(tmp_path / "raw").quarantine.num_rows == 1
