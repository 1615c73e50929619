"""The feature log: scores, quality and latency of every answer. Never an image, never a subject.

Rows wait in memory and go to one small Parquet file every few seconds; a file appears whole or not at
all, so that monitoring can read the folder at any time.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from vultus.contracts.answers import FaceAnswer, Models, PadAnswer
from vultus.contracts.arrays import Embeddings
from vultus.contracts.traffic import FEATURE_SCHEMA, STAGES, sketch_of
from vultus.contracts.words import WATCHED_QUALITY

logger = logging.getLogger(__name__)

_EVERY_S = 5.0
_ROWS_A_FILE = 500
_ROWS_KEPT = 20_000
"""Rows that wait at most while the disk refuses: about 6 MB."""


def feature_row(
    *,
    request_id: str,
    operation: str,
    tenant: str,
    device: str | None,
    decision: str,
    reason: str | None,
    score: float | None,
    threshold: float | None,
    pad: PadAnswer | None,
    face: FaceAnswer | None,
    models: Models,
    latency_ms: Mapping[str, float],
    embedding: Embeddings | None,
) -> dict[str, Any]:
    """One row of FEATURE_SCHEMA. embedding: float32 [D]; only its sketch is kept."""
    measured = {} if face is None else face.quality
    return {
        "ts": datetime.now(UTC),
        "request_id": request_id,
        "operation": operation,
        "tenant": tenant,
        "device": device,
        "model_recognition": models.recognition,
        "model_pad": models.pad,
        "decision": decision,
        "reason": reason,
        "score": score,
        "margin": None if score is None or threshold is None else score - threshold,
        "pad_score": None if pad is None else pad.score,
        **{f"quality_{name}": measured.get(name) for name in WATCHED_QUALITY},
        "faces": None if face is None else face.faces,
        **{f"latency_{stage}_ms": latency_ms.get(stage) for stage in STAGES},
        "sketch": None if embedding is None else sketch_of(embedding).tolist(),
    }


class Capture:
    """Appends rows below `folder/date=YYYY-MM-DD/`; safe for several threads and processes."""

    def __init__(
        self,
        folder: Path,
        *,
        every_s: float = _EVERY_S,
        lost: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Args: every_s: longest time a row waits; lost: told how many rows were dropped."""
        self._folder = folder
        self._every_s = every_s
        self._lost = lost
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Write every few seconds from now on."""
        self._thread = threading.Thread(target=self._run, name="feature-log", daemon=True)
        self._thread.start()

    def add(self, row: dict[str, Any]) -> None:
        """Keep one row."""
        with self._lock:
            self._rows.append(row)
            full = len(self._rows) >= _ROWS_A_FILE
        if full:
            self._wake.set()

    def flush(self) -> None:
        """Write what waits, now. A disk that refuses is said in the log; the rows wait on."""
        with self._writing:
            with self._lock:
                rows, self._rows = self._rows, []
            by_date: dict[str, list[dict[str, Any]]] = {}
            for row in rows:
                by_date.setdefault(row["ts"].date().isoformat(), []).append(row)
            for date, part in by_date.items():
                try:
                    self._write(date, part)
                except OSError as error:
                    logger.error(
                        "feature log refused", extra={"rows": len(part), "why": str(error)}
                    )
                    self._take_back(part)

    def close(self) -> None:
        """Write the rest and stop."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._every_s)
            self._wake.clear()
            self.flush()

    def _write(self, date: str, rows: list[dict[str, Any]]) -> None:
        folder = self._folder / f"date={date}"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{rows[0]['ts']:%H%M%S}-{uuid4().hex}.parquet"
        partial = folder / f".{name}"
        try:
            # pyarrow 25.0 cannot read back a fixed-size list that holds a null; without its own schema
            # in the file it reads a plain list, which casts to FEATURE_SCHEMA.
            table = pa.Table.from_pylist(rows, schema=FEATURE_SCHEMA)
            pq.write_table(table, partial, store_schema=False)
            partial.replace(folder / name)
        finally:
            partial.unlink(missing_ok=True)

    def _take_back(self, rows: list[dict[str, Any]]) -> None:
        with self._lock:
            waiting = rows + self._rows
            self._rows = waiting[-_ROWS_KEPT:]
        if dropped := len(waiting) - len(self._rows):
            self._lost(dropped)
