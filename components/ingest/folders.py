"""A folder of folders (the last folder's name is the subject), or a list file beside pictures."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from components.ingest.source import Item, Refused
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource

_SIDE_FILES = {".csv", ".parquet", ".json", ".txt", ".md", ".xml"}
_COLUMNS = {"subject", "path"}


class FolderSource:
    """`<root>/…/<subject>/<picture>`; every file that is not a list or a note is offered."""

    licence = "unknown"

    def __init__(self, root: Path, name: str | None = None) -> None:
        self._root = root
        self.name = name or f"file:{root.name}"

    def items(self) -> Iterator[Item | Refused]:
        """Files in sorted order. Raises: BadSource, if the root cannot be read."""
        if not self._root.is_dir():
            raise BadSource(f"{self._root} is not a folder that can be read; check the path")
        refused: list[Refused] = []

        def unreadable(error: OSError) -> None:
            refused.append(Refused(str(error.filename), "unreadable", str(error)))

        found = False
        for folder, below, files in os.walk(self._root, onerror=unreadable):
            below.sort()
            place = Path(folder)
            if place == self._root:
                continue
            for name in sorted(files):
                if not name.startswith(".") and Path(name).suffix.lower() not in _SIDE_FILES:
                    found = True
                    origin = (place / name).relative_to(self._root).as_posix()
                    yield Item(origin=origin, subject=place.name)
        yield from refused
        if not found:
            raise BadSource(
                f"{self._root} holds no pictures in subject folders; expected "
                "<root>/<subject>/<picture>, or give a list file with columns subject, path"
            )

    def read(self, item: Item) -> bytes:
        """The file's bytes. Raises: BadSource."""
        return _read(self._root / item.origin)


class ListSource:
    """A CSV or Parquet file with columns subject, path and, if it likes, presentation, species,
    and one column an attribute (`attribute_<name>`). Paths are relative to the list."""

    licence = "unknown"

    def __init__(self, file: Path) -> None:
        self._file = file
        self.name = f"file:{file.name}"

    def items(self) -> Iterator[Item | Refused]:
        """One item a row. Raises: BadSource."""
        rows = list(self._rows())
        if not rows or not set(rows[0]) >= _COLUMNS:
            raise BadSource(f"{self._file} needs the columns subject and path, and at least a row")
        for row in rows:
            try:
                yield _item(row)
            except ValueError as error:
                yield Refused(row.get("path", ""), "bad_row", str(error))

    def read(self, item: Item) -> bytes:
        """The file's bytes. Raises: BadSource."""
        return _read(self._file.parent / item.origin)

    def _rows(self) -> Iterator[dict[str, str]]:
        try:
            if self._file.suffix.lower() == ".parquet":
                import pyarrow.parquet as pq

                for row in pq.read_table(self._file).to_pylist():
                    yield {key: "" if value is None else str(value) for key, value in row.items()}
            else:
                with self._file.open(newline="", encoding="utf-8") as stream:
                    yield from csv.DictReader(stream)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadSource(f"{self._file} cannot be read as a list: {error}") from error


def _item(row: dict[str, str]) -> Item:
    presentation = Presentation(row.get("presentation") or Presentation.BONA_FIDE)
    species = Species(row["species"]) if row.get("species") else None
    if (presentation is Presentation.ATTACK) != (species is not None):
        raise ValueError("an attack needs a species, and only an attack has one")
    prefix = "attribute_"
    return Item(
        origin=row["path"],
        subject=row["subject"],
        presentation=presentation,
        species=species,
        attributes={k[len(prefix) :]: v for k, v in row.items() if k.startswith(prefix) and v},
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadSource(f"{file.name} cannot be read: {error.strerror or error}") from error
