"""Real faces as a `file:` source: a data version with every picture accounted for and no name in it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from support.pretrained import weights_folder
from support.realdata import every, require, thorough

pytestmark = pytest.mark.realdata

SHARES = {f"ingest.{name}_share": 0 for name in ("print", "replay", "mask", "recapture", "tight")}
LAX = {
    "validate.min_attacks_per_split": 0,
    "validate.min_subjects_per_split": 1,
    "validate.min_subjects_train": 2,
}


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path, list[str]]:
    """Facts, folder of the report, and the names of the people: a twentieth of them, or all."""
    folder = require() / "recognition"
    place = tmp_path_factory.mktemp("real")
    people = sorted(one.name for one in folder.iterdir() if one.is_dir())
    for name in every(people, 1 if thorough() else 20):
        shutil.copytree(folder / name, place / "people" / name)
    (place / "home").mkdir()
    (place / "home" / "weights").symlink_to(weights_folder("sface"))
    changes = [w for name, value in (SHARES | LAX).items() for w in ("--set", f"{name}={value}")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VULTUS_HOME", str(place / "home"))
        source = f"file:{place / 'people'}?licence=research"
        result = CliRunner().invoke(app, ["data", "ingest", source, "--json", *changes])
        facts = json.loads(result.stdout)
        assert result.exit_code == (0 if facts["passed"] else 1), result.output
        version, out = facts["crops_digest"], str(place / "report")
        written = CliRunner().invoke(app, ["data", "report", version, "--out", out])
        assert written.exit_code == 0, written.output
    return facts, place / "report", sorted(one.name for one in (place / "people").iterdir())


def test_every_picture_is_a_face_or_has_a_reason(taken: tuple[dict[str, Any], Path, Any]) -> None:
    facts = taken[0]
    print(json.dumps({name: facts[name] for name in ("read", "faces", "quarantine", "seconds")}))
    faces, refused = sum(facts["faces"].values()), sum(facts["quarantine"].values())
    assert faces + refused == facts["read"]
    assert faces >= 0.9 * facts["read"]


def test_no_name_leaves_ingest(taken: tuple[dict[str, Any], Path, list[str]]) -> None:
    facts, report, names = taken
    texts = [file.read_text() for file in (report / "report.html", report / "figures.json")]
    texts += [file.read_text() for file in Path(facts["folder"]).rglob("*.html")]
    for name in names:
        word = re.compile(rf"(?<![0-9A-Za-z]){re.escape(name)}(?![0-9A-Za-z])")
        assert not any(word.search(text) for text in texts), name


def test_the_report_says_that_it_shows_people(taken: tuple[dict[str, Any], Path, Any]) -> None:
    page = (taken[1] / "report.html").read_text()
    assert "faces of real people" in page
    assert page.count("data:image/jpeg;base64,") >= 10
    figures = json.loads((taken[1] / "figures.json").read_text())
    assert figures["noise"]["pictures"] > 0, "the labels were judged"
    assert figures["licences"] == {"research": figures["pictures"]}
