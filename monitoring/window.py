"""The current window: rows of the feature log, by time or by number, read from its Parquet files.

A file that is cut or of another schema is skipped and reported: one crash of a server must not
blind the watchdog.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vultus.contracts.traffic import FEATURE_SCHEMA

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skipped:
    """A file that was not read, and why."""

    file: Path
    reason: str


@dataclass(frozen=True)
class Window:
    """Rows of FEATURE_SCHEMA, oldest first."""

    table: pa.Table
    skipped: tuple[Skipped, ...] = ()

    @property
    def rows(self) -> int:
        """How many requests."""
        return int(self.table.num_rows)

    @property
    def start(self) -> datetime | None:
        """Time of the first row, UTC."""
        return self.table["ts"][0].as_py() if self.rows else None

    @property
    def end(self) -> datetime | None:
        """Time of the last row, UTC."""
        return self.table["ts"][-1].as_py() if self.rows else None


def current_window(
    features: Path,
    *,
    now: datetime,
    last_h: float | None = None,
    last_rows: int | None = None,
) -> Window:
    """The newest rows of the feature log.

    Args:
        features: folder of `date=YYYY-MM-DD/*.parquet`; it may be absent.
        now: end of the window, aware.
        last_h: hours before `now`; last_rows: the newest N rows instead.
    Returns: a window, possibly of no row.
    """
    since = None if last_rows is not None or last_h is None else now - timedelta(hours=last_h)
    tables: list[pa.Table] = []
    skipped: list[Skipped] = []
    found = 0
    for day, folder in _days(features):
        if day > now.astimezone(UTC).date():
            continue
        if since is not None and day < since.astimezone(UTC).date():
            break
        if last_rows is not None and found >= last_rows:
            break
        for file in sorted(folder.glob("*.parquet")):
            if file.name.startswith((".", "_")):
                continue
            read = read_features(file)
            if isinstance(read, Skipped):
                skipped.append(read)
                continue
            kept = read.filter(_between(read, since, now))
            tables.append(kept)
            found += kept.num_rows
    table = FEATURE_SCHEMA.empty_table() if not tables else pa.concat_tables(tables)
    table = table.sort_by([("ts", "ascending")])
    if last_rows is not None:
        table = table.slice(max(0, table.num_rows - last_rows))
    for one in skipped:
        logger.warning("feature file skipped", extra={"file": str(one.file), "why": one.reason})
    return Window(table, tuple(skipped))


def read_features(file: Path) -> pa.Table | Skipped:
    """One file as rows of FEATURE_SCHEMA, or why not."""
    try:
        # Read as one file: a path below date=… would otherwise gain a partition column.
        table = pq.ParquetFile(file).read()
        return table.select(FEATURE_SCHEMA.names).cast(FEATURE_SCHEMA)
    except (OSError, pa.ArrowException, KeyError) as error:
        return Skipped(file, " ".join(str(error).split())[:200] or type(error).__name__)


def _days(features: Path) -> Iterator[tuple[date, Path]]:
    """Day folders, newest first; others (history, reference) are passed over."""
    found = []
    for folder in features.glob("date=*"):
        try:
            found.append((date.fromisoformat(folder.name.removeprefix("date=")), folder))
        except ValueError:
            logger.warning("no day folder", extra={"folder": str(folder)})
    yield from sorted(found, reverse=True)


def _between(table: pa.Table, since: datetime | None, now: datetime) -> pa.Array:
    kind = FEATURE_SCHEMA.field("ts").type
    keep = pc.less_equal(table["ts"], pa.scalar(now, kind))
    if since is None:
        return keep
    return pc.and_(keep, pc.greater(table["ts"], pa.scalar(since, kind)))
