"""MLflow's alias `champion`, read straight from a laptop's SQLite file: a millisecond, no import.

MLflow's registry decides which version is used; a person may move the alias in its web interface. Only
names are believed here: the files that a name leads to are checked by their signature when opened.
"""

import shutil
import sqlite3
import tempfile
from pathlib import Path

from vultus.contracts.home import Home
from vultus.contracts.words import CHAMPION

_VERSION = "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?"
_SOURCE = "SELECT source FROM model_versions WHERE name = ? AND version = ?"


def aliased_version(home: Home, name: str) -> int | None:
    """The champion's number; None where there is no alias, no database, or another MLflow."""
    found = _first(home.mlflow_database, _VERSION, (name, CHAMPION))
    return None if found is None else int(found)


def local_copy(home: Home, name: str, version: int) -> Path | None:
    """The version's folder below `home.models`, copied there once; None where its files are gone."""
    target = home.models / name / str(version)
    if target.exists():
        return target
    source = _first(home.mlflow_database, _SOURCE, (name, version))
    if source is None or not Path(source.removeprefix("file://")).is_dir():
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copy-") as place:
        whole = shutil.copytree(source.removeprefix("file://"), Path(place) / "version")
        if not target.exists():
            whole.rename(target)
    return target


def _first(database: Path, question: str, values: tuple[str | int, ...]) -> str | None:
    if not database.is_file():
        return None
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=2)
        try:
            row = connection.execute(question, values).fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return None  # no such table: this MLflow was never asked to keep a model
    return None if row is None else str(row[0])
