"""A list of pictures, CSV or Parquet, read row by row."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.ingest.files import fingerprint_of, read_file, read_listed
from components.ingest.source import Answer, Item, Refused, Room, own_room
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource

_NEEDED = {"subject", "path"}
_BATCH_ROWS = 4096
_PREFIX = "attribute_"


class ListSource:
    """Columns subject, path (relative to the list) and, if it likes, presentation, species,
    captured_at (ISO 8601), licence, attributes (a map; JSON in a CSV) and `attribute_<name>`."""

    def __init__(self, file: Path, licence: str = "unknown") -> None:
        self._file = file
        self.name = f"file:{file.name}"
        self.licence = licence

    def items(self) -> Iterator[Item | Refused]:
        """One item a row, in the list's order. Raises: BadSource."""
        found = False
        for number, row in enumerate(self._rows(), start=1):
            found = True
            origin = str(row.get("path") or f"row {number}")
            try:
                item = _item(row)
                status = (self._file.parent / item.origin).stat()
            except ValueError as error:
                yield Refused(origin, "bad_row", f"row {number}: {error}")
            except OSError as error:
                yield Refused(origin, "unreadable", f"row {number}: {error.strerror}")
            else:
                yield item._replace(fingerprint=fingerprint_of(status))
        if not found:
            raise BadSource(f"{self._file} is a list without a row")

    def read(self, item: Item) -> bytes:
        """The file's bytes. Raises: BadSource, SourceChanged, SourceVanished."""
        return read_file(os.path.join(self._file.parent, item.origin))  # noqa: PTH118 -- fast

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """The files in the order of the items; the disk is asked for some ahead."""
        return read_listed(str(self._file.parent), items, room)

    def _rows(self) -> Iterator[Mapping[str, Any]]:
        from pyarrow import ArrowException

        try:
            yield from self._parquet() if self._file.suffix.lower() == ".parquet" else self._csv()
        except (OSError, UnicodeDecodeError, csv.Error, ArrowException) as error:
            raise BadSource(f"{self._file} cannot be read as a list: {error}") from error

    def _parquet(self) -> Iterator[Mapping[str, Any]]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._file) as table:
            self._check(table.schema_arrow.names)
            for batch in table.iter_batches(_BATCH_ROWS):
                yield from batch.to_pylist()

    def _csv(self) -> Iterator[Mapping[str, Any]]:
        with self._file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            self._check(reader.fieldnames or [])
            yield from reader

    def _check(self, columns: Iterable[str]) -> None:
        if missing := _NEEDED - set(columns):
            raise BadSource(
                f"{self._file} needs the columns subject and path; {', '.join(sorted(missing))} "
                "is not there"
            )


def _item(row: Mapping[str, Any]) -> Item:
    """Raises: ValueError, saying what is wrong with the row."""
    if None in row:
        raise ValueError("more fields than columns")
    for name in _NEEDED:
        if not row.get(name):
            raise ValueError(f"no {name}")
    presentation = Presentation(row.get("presentation") or Presentation.BONA_FIDE)
    species = Species(row["species"]) if row.get("species") else None
    if (presentation is Presentation.ATTACK) != (species is not None):
        raise ValueError("an attack needs a species, and only an attack has one")
    return Item(
        origin=str(row["path"]),
        subject=str(row["subject"]),
        presentation=presentation,
        species=species,
        attributes=_attributes(row),
        captured_at=_time(row.get("captured_at")),
        licence=str(row["licence"]) if row.get("licence") else None,
    )


def _attributes(row: Mapping[str, Any]) -> dict[str, str]:
    given = row.get("attributes") or {}
    if isinstance(given, str):
        given = json.loads(given)
        if not isinstance(given, dict):
            raise ValueError("attributes is no JSON object")
    held = {str(name): value for name, value in dict(given).items()}
    held |= {name[len(_PREFIX) :]: row[name] for name in row if name.startswith(_PREFIX)}
    return {name: str(value) for name, value in held.items() if value not in (None, "")}


def _time(value: object) -> datetime | None:
    if value in (None, ""):
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
