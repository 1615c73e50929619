"""The feature log: whole files, nothing lost while the disk refuses, old rows first to go."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from serving import capture as module
from serving.capture import Capture, feature_row
from vultus.contracts.answers import Models, PadAnswer
from vultus.contracts.traffic import FEATURE_SCHEMA
from vultus.contracts.words import PadDecision, Verdict


def row(number: int) -> dict[str, Any]:
    pad = PadAnswer(decision=PadDecision.NOT_DECIDED, status=Verdict.PASS)
    return feature_row(
        request_id=str(number), operation="liveness", tenant="default", device=None,
        decision="not_decided", reason="no_face", score=None, threshold=None, pad=pad, face=None,
        models=Models(), latency_ms={"total": 1.0}, embedding=None,
    )  # fmt: skip


def ids(folder: Path) -> list[str]:
    files = sorted(folder.rglob("*.parquet"))
    found = [pq.ParquetFile(file).read().cast(FEATURE_SCHEMA) for file in files]
    return [value for table in found for value in table["request_id"].to_pylist()]


def test_rows_lie_under_their_date(tmp_path: Path) -> None:
    capture = Capture(tmp_path)
    yesterday = {**row(1), "ts": datetime(2026, 1, 31, 23, 59, tzinfo=UTC)}
    capture.add(yesterday)
    capture.add({**row(2), "ts": datetime(2026, 2, 1, 0, 1, tzinfo=UTC)})
    capture.flush()
    assert sorted(d.name for d in tmp_path.iterdir()) == ["date=2026-01-31", "date=2026-02-01"]
    assert ids(tmp_path) == ["1", "2"]
    capture.flush()
    assert len(ids(tmp_path)) == 2


def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    capture = Capture(tmp_path, every_s=60)
    capture.start()
    capture.add(row(1))
    capture.close()
    assert ids(tmp_path) == ["1"]


def test_rows_wait_while_the_disk_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "features"
    folder.write_text("in the way")
    capture = Capture(folder)
    for number in range(3):
        capture.add(row(number))
    capture.flush()
    assert "feature log refused" in caplog.text
    folder.unlink()
    capture.add(row(3))
    capture.flush()
    assert ids(folder) == ["0", "1", "2", "3"]
    assert not list(folder.rglob(".*.parquet"))


def test_a_disk_that_refuses_for_long_costs_the_oldest_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROWS_KEPT", 2)
    folder = tmp_path / "features"
    folder.write_text("in the way")
    lost: list[int] = []
    capture = Capture(folder, lost=lost.append)
    for number in range(5):
        capture.add(row(number))
    capture.flush()
    folder.unlink()
    capture.flush()
    assert (ids(folder), lost) == (["3", "4"], [3])
