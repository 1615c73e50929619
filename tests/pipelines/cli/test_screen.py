"""What `vultus run` adds to a task's parameters."""

from pathlib import Path

import pytest

from pipelines.cli.screen import _beside
from vultus.contracts.home import Home
from vultus.contracts.words import RECOGNITION_MODEL, Task
from vultus.signing import ChampionPointer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose champion recogniser is version 4."""
    found = Home(tmp_path)
    folder = tmp_path / "models" / RECOGNITION_MODEL / "4"
    ChampionPointer(name=RECOGNITION_MODEL, version=4, path=folder, digest="4" * 64).write(found)
    return found


def test_pad_is_judged_beside_the_champion_recogniser_by_its_number(home: Home) -> None:
    given = {"seed": 1, "evaluate": {"fmr": 0.01}}
    found = _beside(home, Task.LIVENESS, given)
    wanted = {"fmr": 0.01, "recogniser": "models:/vultus-recognition/4"}
    assert found == {"seed": 1, "evaluate": wanted}
    assert given == {"seed": 1, "evaluate": {"fmr": 0.01}}


@pytest.mark.parametrize("named", [None, "models:/vultus-recognition/1"])
def test_who_names_a_recogniser_or_none_keeps_it(home: Home, named: str | None) -> None:
    given = {"evaluate": {"recogniser": named}}
    assert _beside(home, Task.LIVENESS, given) == given


def test_nothing_is_added_for_recognition_or_before_a_champion(home: Home, tmp_path: Path) -> None:
    assert _beside(home, Task.RECOGNITION, {}) == {}
    assert _beside(Home(tmp_path / "empty"), Task.LIVENESS, {}) == {}
