"""A task keeps its state where it can, and says where it cannot."""

import logging
from pathlib import Path

import pytest

from components.door import Door
from vultus.contracts.home import Home
from vultus.settings import Settings
from vultus.storage import FolderStore


def door(place: Path) -> Door:
    return Door(Settings(), Home(place), FolderStore(place / "store"), processes=1)


def test_state_is_kept_where_it_can_be_written(tmp_path: Path) -> None:
    assert door(tmp_path).kept(tmp_path / "ingest") == tmp_path / "ingest"


def test_without_a_place_to_write_the_task_goes_on_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "home").write_text("no folder")
    with caplog.at_level(logging.WARNING, "components.door"):
        kept = door(tmp_path).kept(tmp_path / "home" / "ingest")
    assert kept.is_dir()
    assert kept != tmp_path / "home" / "ingest"
    assert "starts over" in caplog.text
    kept.rmdir()
