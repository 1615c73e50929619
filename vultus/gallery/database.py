"""The gallery's SQLite file: short transactions, deleted pages overwritten, log emptied on request."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vultus.errors import StorageUnavailable

_WAIT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS subject (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pseudonym BLOB NOT NULL UNIQUE,
    wrapped_key BLOB NOT NULL,
    name BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS reference (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject INTEGER NOT NULL REFERENCES subject (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    image BLOB NOT NULL,
    template BLOB NOT NULL,
    UNIQUE (subject, model, image)
);
CREATE TABLE IF NOT EXISTS state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL,
    canary BLOB
);
INSERT OR IGNORE INTO state VALUES (1, 0, NULL);
"""
"""`generation` grows with every change, so that other processes notice; ids are never used again."""


class Database:
    """One file, one connection of this process behind a lock, any number of processes."""

    def __init__(self, file: Path) -> None:
        """Open or make the file. Raises: StorageUnavailable."""
        self.file = file
        self._lock = threading.RLock()
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise StorageUnavailable(f"the gallery {file} cannot be made: {error}") from error
        with self._errors():
            self._connection = sqlite3.connect(
                file, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute(f"PRAGMA busy_timeout = {int(_WAIT_S * 1000)}")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._connection.execute("PRAGMA temp_store = MEMORY")
            self._connection.executescript(_SCHEMA)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A consistent view. Raises: StorageUnavailable."""
        with self._lock, self._errors(), self._transaction("BEGIN"):
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, alone. Raises: StorageUnavailable."""
        with self._lock, self._errors(), self._transaction("BEGIN IMMEDIATE"):
            yield self._connection

    def empty_log(self) -> None:
        """Move the write-ahead log into the file and cut it: old pages are nowhere afterwards.

        Raises: StorageUnavailable, where another process reads for longer than ten seconds.
        """
        with self._lock, self._errors():
            busy, *_ = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StorageUnavailable(
                f"the entry is deleted, but {self.file}-wal still holds its old page because another "
                "process reads the gallery; delete once more to clean it"
            )

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._connection.execute(begin)
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StorageUnavailable(
                f"the gallery {self.file} cannot be used: {error}; check the disk and its rights"
            ) from error
