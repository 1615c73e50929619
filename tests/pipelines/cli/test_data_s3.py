"""Source and store in one bucket of a real server that checks keys: a data version, grown, refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pipelines.cli import app
from support.faces_on_disk import write_people
from support.s3 import Line, Weed, breaking_line, real_s3
from vultus.contracts.home import Home

pytestmark = pytest.mark.slow

SOURCE = "s3://faces/people"
LAX = {
    "ingest.split_seed": 5,
    "validate.min_subjects_train": 2,
    "validate.min_subjects_per_split": 1,
    "validate.min_attacks_per_split": 0,
    "validate.min_split_chance": 0,
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven people, two pictures each; the last one is not in the bucket at first."""
    return write_people(tmp_path_factory.mktemp("people"), people=7, images=2)


@pytest.fixture
def line(tmp_path: Path, people: Path) -> Iterator[tuple[Line, Any]]:
    """What goes to and from the server, and a client behind its back."""
    (tmp_path / "weed").mkdir()
    with (
        real_s3(tmp_path / "weed") as server,
        breaking_line(server.endpoint, after_bytes=0, cuts=0) as line,
    ):
        client = server.wait()
        for number in range(6):
            upload(client, people, number)
        yield line, client


@pytest.fixture
def home(line: tuple[Line, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VULTUS_STORAGE__URI", "s3://faces/store")
    monkeypatch.setenv("VULTUS_STORAGE__ENDPOINT_URL", line[0].url)
    for name, value in Weed.keys.items():
        monkeypatch.setenv(f"VULTUS_STORAGE__{name.upper()}", value)
    return Home(tmp_path / "home")


def upload(client: Any, people: Path, number: int) -> None:
    for file in sorted((people / f"person-{number}").iterdir()):
        key = f"people/{file.relative_to(people).as_posix()}"
        client.put_object(Bucket="faces", Key=key, Body=file.read_bytes())


def data(*words: str) -> Result:
    return CliRunner().invoke(app, ["data", *words])


def ingest(source: str = SOURCE) -> Result:
    changes = [word for name, value in LAX.items() for word in ("--set", f"{name}={value}")]
    return data("ingest", source, "--json", *changes)


def test_a_bucket_becomes_a_version_in_a_bucket_and_grows(
    line: tuple[Line, Any], home: Home, people: Path, tmp_path: Path
) -> None:
    over, client = line
    first = ingest()
    assert first.exit_code == 0, first.output
    facts = json.loads(first.stdout)
    assert (facts["read"], facts["known"], facts["subjects"]) == (12, 0, 6)
    assert facts["passed"]
    held = client.list_objects_v2(Bucket="faces", Prefix="store/packs/")["KeyCount"]
    assert held >= 4, "packs and indices of pictures and crops"
    assert not home.store.exists(), "no byte stays beside the bucket"

    result = data("report", facts["crops_digest"], "--out", str(tmp_path / "report"))
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") >= 3, "faces come back out of the bucket"

    upload(client, people, 6)
    over.asked.clear()
    grown = ingest()
    assert grown.exit_code == 0, grown.output
    facts = json.loads(grown.stdout)
    assert (facts["read"], facts["known"], facts["subjects"]) == (2, 12, 7)
    pictures = [path for path in over.asked if path.startswith("/faces/people/")]
    assert sorted(pictures) == [f"/faces/people/person-6/{n}.jpg" for n in (0, 1)]


@pytest.mark.parametrize("where", ["source", "store"])
@pytest.mark.parametrize("name", ["ACCESS_KEY", "SECRET_KEY"])
def test_wrong_keys_are_one_sentence(
    home: Home, people: Path, monkeypatch: pytest.MonkeyPatch, where: str, name: str
) -> None:
    monkeypatch.setenv(f"VULTUS_STORAGE__{name}", "not-the-one")
    result = ingest(SOURCE if where == "source" else str(people))
    assert result.exit_code == 1
    assert f"s3://faces/{'people' if where == 'source' else 'store'}" in result.stderr
    assert "check VULTUS_STORAGE__ACCESS_KEY, VULTUS_STORAGE__SECRET_KEY" in result.stderr
    assert "not-the-one" not in result.output
    assert "Traceback" not in result.output
