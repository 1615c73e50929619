"""What is read of the feature log, and what is not."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.params import MonitorParams
from monitoring.reference import freeze, reference_window
from monitoring.window import Window, current_window
from support.champions import champion_home
from support.traffic import MONDAY, Door, traffic, write_log
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.errors import BadArtifact, BadParameter

NOW = MONDAY + timedelta(hours=34)
"""Tuesday, 18:00: both days of `two_days` are over."""


@pytest.fixture
def two_days(tmp_path: Path) -> Path:
    write_log(tmp_path, traffic(Door(rows=200)))
    write_log(tmp_path, traffic(Door(rows=300, start=MONDAY + timedelta(days=1), seed=1)))
    return tmp_path


def test_a_window_by_time_holds_exactly_the_rows_of_that_time(two_days: Path) -> None:
    window = current_window(two_days, now=NOW, last_h=24)
    assert window.rows == 300
    assert window.start is not None
    assert window.end is not None
    assert NOW - timedelta(hours=24) < window.start < window.end <= NOW
    assert current_window(two_days, now=NOW, last_h=40).rows == 500
    assert current_window(two_days, now=NOW - timedelta(hours=24), last_h=24).rows == 200


def test_a_window_by_rows_is_the_newest_and_in_order(two_days: Path) -> None:
    window = current_window(two_days, now=NOW, last_rows=350)
    times = window.table["ts"].to_pylist()
    assert len(times) == 350
    assert times == sorted(times)
    assert sum(time > MONDAY + timedelta(days=1) for time in times) == 300


def test_cut_and_foreign_files_are_skipped_and_named(two_days: Path) -> None:
    day = two_days / "date=2026-03-03"
    whole = (day / "part-0.parquet").read_bytes()
    (day / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (day / "empty.parquet").touch()
    pq.write_table(pa.table({"ts": [1], "other": [2]}), day / "foreign.parquet")
    (day / ".part-1.parquet.tmp").write_bytes(b"half")
    (two_days / "date=soon").mkdir()
    window = current_window(two_days, now=NOW, last_h=24)
    assert window.rows == 300
    assert {one.file.name for one in window.skipped} == {
        "cut.parquet",
        "empty.parquet",
        "foreign.parquet",
    }
    assert all(one.reason for one in window.skipped)


def test_no_folder_is_a_window_without_rows(tmp_path: Path) -> None:
    window = current_window(tmp_path / "absent", now=NOW, last_h=24)
    assert (window.rows, window.start, window.end) == (0, None, None)
    assert window.table.schema.equals(FEATURE_SCHEMA)


def test_without_a_champion_there_is_no_reference(tmp_path: Path) -> None:
    home = champion_home(tmp_path, None)
    reference = reference_window(home)
    assert (reference.id, reference.table.num_rows, reference.live) == ("none", 0, False)


def test_champions_bring_their_evaluation_rows_and_their_bpcer(tmp_path: Path) -> None:
    home = champion_home(tmp_path, traffic(Door(rows=150)), bpcer=0.02)
    reference = reference_window(home)
    assert reference.table.num_rows == 300  # one file a model
    assert not reference.live
    assert reference.models["vultus-pad"] == "vultus-pad/1"
    assert reference.bpcer is not None
    assert reference.bpcer.value == 0.02


def test_a_confirmed_window_is_the_reference_until_other_models_are_promoted(
    tmp_path: Path,
) -> None:
    evaluation, live = traffic(Door(rows=150)), traffic(Door(rows=400, seed=3))
    home = champion_home(tmp_path, evaluation)
    params = MonitorParams(freeze_rows=300)
    about = freeze(home, Window(live), params, now=NOW)
    frozen = reference_window(home)
    assert frozen.live
    assert frozen.id == about.id
    assert frozen.table.equals(live)
    champion_home(tmp_path, evaluation, version=2)
    assert not reference_window(home).live


def test_too_few_rows_are_no_reference(tmp_path: Path) -> None:
    home = champion_home(tmp_path, None)
    with pytest.raises(BadParameter, match="299 rows"):
        freeze(home, Window(traffic(Door(rows=299))), MonitorParams(freeze_rows=300), now=NOW)


def test_rows_of_a_retired_model_do_not_become_the_reference(tmp_path: Path) -> None:
    home = champion_home(tmp_path, traffic(Door(rows=100)), version=2)
    old = traffic(Door(rows=300, models=("vultus-recognition/1", "vultus-pad/2")))
    with pytest.raises(BadParameter, match="0 rows"):
        freeze(home, Window(old), MonitorParams(freeze_rows=200), now=NOW)


def test_a_frozen_reference_that_is_cut_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    home = champion_home(tmp_path, None)
    about = freeze(home, Window(traffic(Door(rows=300))), MonitorParams(freeze_rows=300), now=NOW)
    file = home.features / "reference" / f"{about.id}.parquet"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadArtifact, match="confirm"):
        reference_window(home)
