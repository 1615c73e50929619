"""`vultus data`: versions are made, listed, reported and compared; exit codes 0, 1 and 2."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli import app
from support.crops import make_crops
from support.faces_on_disk import write_people
from vultus.contracts.faces import FaceCrops
from vultus.contracts.home import Home
from vultus.storage import FolderStore


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def versions(home: Home) -> tuple[FaceCrops, FaceCrops]:
    """An older one, and a newer one with two more people."""
    store = FolderStore(home.store)
    return (
        FaceCrops.open(make_crops(home.data / "old" / "crops", store, subjects=6)),
        FaceCrops.open(make_crops(home.data / "new" / "crops", store, subjects=8)),
    )


def vultus(*words: str) -> Result:
    return CliRunner().invoke(app, ["data", *words])


@pytest.mark.parametrize("words", [["cook"], ["diff", "a"], ["ingest"], ["report", "--colour"]])
def test_wrong_usage_is_two(home: Home, words: list[str]) -> None:
    result = vultus(*words)
    assert result.exit_code == 2
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report"], "there is no data version yet"),
        (["report", "abcd"], "no version's digest begins so"),
        (["diff", "abcd", "beef"], "vultus data list"),
        (["report", "."], "holds no finished FaceCrops"),
        (["ingest", "ftp://x"], "unknown source"),
        (["ingest", "synthetic:", "--set", "train.epochs=1"], "train is no part of this"),
        (["ingest", "synthetic:", "--set", "crop.colour=1"], "crop knows no such parameter"),
        (["ingest", "synthetic:", "--set", "source=x"], "first word"),
    ],
)
def test_a_failure_is_one_with_a_sentence(home: Home, words: list[str], said: str) -> None:
    result = vultus(*words)
    assert result.exit_code == 1, result.output
    assert said in result.output
    assert "Traceback" not in result.output


def test_nothing_is_listed_where_nothing_is(home: Home) -> None:
    assert json.loads(vultus("list", "--json").stdout) == []
    assert "No data version yet" in vultus("list").output


def test_versions_are_found_by_folder_and_by_digest(
    home: Home, versions: tuple[FaceCrops, FaceCrops]
) -> None:
    listed = json.loads(vultus("list", "--json").stdout)
    assert {one["digest"] for one in listed} == {one.digest for one in versions}
    by_digest = vultus("report", versions[0].digest[:10], "--json")
    by_folder = vultus("report", str(home.data / "old"), "--json")
    assert by_digest.exit_code == by_folder.exit_code == 0, by_digest.output
    figures = json.loads(by_digest.stdout)
    assert figures == json.loads(by_folder.stdout)
    assert (figures["digest"], figures["subjects"]) == (versions[0].digest, 6)
    assert not home.reports.exists(), "figures alone write nothing"


@pytest.mark.slow
def test_a_report_is_written_where_one_asks_for_it(
    home: Home, versions: tuple[FaceCrops, FaceCrops], tmp_path: Path
) -> None:
    result = vultus("report", versions[1].digest[:8], "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "report.html").read_text()
    assert "What training will do to these pictures" in page
    assert "report.html" in result.output


def test_a_comparison_names_who_came(
    home: Home, versions: tuple[FaceCrops, FaceCrops], tmp_path: Path
) -> None:
    digests = [one.digest[:12] for one in versions]
    figures = json.loads(vultus("diff", *digests, "--json").stdout)
    assert figures["subjects"] == {"came": 2, "went": 0, "stayed": 6}
    result = vultus("diff", *digests, "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert "subjects  +2  -0  =6" in result.output
    assert (tmp_path / "out" / "report.pdf").is_file()


@pytest.mark.slow
def test_a_folder_becomes_a_version_and_a_refused_one_keeps_its_report(
    home: Home, tmp_path: Path
) -> None:
    source = str(write_people(tmp_path / "people", people=6, images=2))
    lax = "validate.min_subjects_train=2 validate.min_subjects_per_split=1 ingest.split_seed=5"
    lax += " validate.min_attacks_per_split=0 validate.min_split_chance=0"
    words = [word for change in lax.split() for word in ("--set", change)]
    done = vultus("ingest", source, "--json", *words)
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["passed"]
    assert facts["subjects"] == 6
    assert "What training will do to these pictures" in Path(facts["report"]).read_text()
    assert facts["crops_digest"] in vultus("list", "--json").stdout
    refused = vultus("ingest", source, "--json", *words, "--set", "validate.min_subjects_train=50")
    assert refused.exit_code == 1
    assert "expectations failed" in refused.output
    assert Path(json.loads(refused.stdout)["report"]).is_file()


@pytest.mark.slow
def test_a_grown_source_says_how_little_of_it_was_read(home: Home, tmp_path: Path) -> None:
    source = write_people(tmp_path / "people", people=4, images=2)
    simulated = ["print", "replay", "mask", "recapture", "tight"]
    words = [word for name in simulated for word in ("--set", f"ingest.{name}_share=0")]
    first = json.loads(vultus("ingest", str(source), "--json", *words).stdout)
    assert (first["read"], first["known"]) == (first["cut"], first["cut_before"]) == (8, 0)
    write_people(tmp_path / "more", people=5, images=2)
    shutil.copytree(tmp_path / "more" / "person-4", source / "person-4")
    grown = vultus("ingest", str(source), *words)
    lines = [line.split() for line in grown.output.splitlines()]
    said = {tuple(word for word in line if word != "│") for line in lines}
    assert {("offered", "10"), ("read", "now", "2"), ("known", "from", "before", "8")} <= said
    assert {("cropped", "now", "2"), ("cropped", "before", "8")} <= said, grown.output
