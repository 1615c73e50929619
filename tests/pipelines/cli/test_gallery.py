"""`vultus enrol`, `identify`, `forget`, `serve`: no server runs, the server's gallery is used."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.app import app
from support.served import Pictures, pictures, promote_drawn
from vultus.contracts.answers import EnrolAnswer, ForgetAnswer, IdentifyAnswer
from vultus.contracts.home import Home


@pytest.fixture(scope="module")
def shown() -> Pictures:
    return pictures()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    promote_drawn(made)
    monkeypatch.setenv("VULTUS_HOME", str(made.root))
    return made


def vultus(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_enrol_identify_forget(home: Home, shown: Pictures, tmp_path: Path) -> None:
    ada, attack = tmp_path / "ada.jpg", tmp_path / "attack.jpg"
    ada.write_bytes(shown.ada)
    attack.write_bytes(shown.attack)

    first = vultus("enrol", "ada", ada, "--json")
    assert (first.exit_code, EnrolAnswer.model_validate_json(first.output).references) == (0, 1)
    again = vultus("enrol", "ada", ada)
    assert (again.exit_code, again.output) == (0, "unchanged: ada has 1 reference\n")
    refused = vultus("enrol", "ada", attack)
    assert (refused.exit_code, "refused (attack)" in refused.output) == (1, True)

    found = vultus("identify", ada, "--json")
    answer = IdentifyAnswer.model_validate_json(found.output)
    assert (found.exit_code, answer.candidates[0].subject) == (0, "ada")
    said = vultus("identify", ada)
    assert said.output.splitlines()[1].split() == ["1.0000", "ada"]
    assert vultus("identify", attack).exit_code == 1

    gone = vultus("forget", "ada", "--json")
    assert (gone.exit_code, ForgetAnswer.model_validate_json(gone.output).references) == (0, 1)
    assert json.loads(vultus("forget", "ada", "--json").output)["decision"] == "unknown"
    assert vultus("forget", "ada").exit_code == 1
    assert not (home.root / "features").exists()  # a command is not traffic


def test_wrong_usage_is_exit_code_2(home: Home, tmp_path: Path) -> None:
    assert vultus("enrol", "ada", tmp_path / "none.jpg").exit_code == 2
    assert vultus("serve", "--port", "70000").exit_code == 2


def test_nothing_promoted_is_one_sentence(
    tmp_path: Path, shown: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "empty"))
    ada = tmp_path / "ada.jpg"
    ada.write_bytes(shown.ada)
    for words in (("enrol", "ada", ada), ("identify", ada)):
        ended = vultus(*words)
        assert ended.exit_code == 1
        assert "vultus run" in ended.output
