"""Lists of pictures as CSV: pairs to compare, files to judge; and the scores beside them.

One row out for every row in, in their order; a cell stays empty where there is nothing to say.
"""

import csv
import math
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vultus.errors import BadParameter, StorageUnavailable

EDGES = ("box_x1", "box_y1", "box_x2", "box_y2")
PAIR_COLUMNS = ("a", "b", "score")
PAD_COLUMNS = ("file", "pad_score")

BoxCells = tuple[float, float, float, float]


@dataclass(frozen=True)
class Item:
    """One picture of a list, and where its face is, if the list says so.

    box: x1, y1, x2, y2 in pixels. fault: what is wrong with the row's cells, else empty.
    """

    file: str
    box: BoxCells | None = None
    fault: str = ""


def read_pairs(file: Path) -> list[tuple[Item, Item]]:
    """Rows of a, b; optional a_box_x1 … a_box_y2 and b_box_x1 … b_box_y2.

    Raises: BadParameter, if the file or one of its columns is missing.
    """
    rows = _rows(file, ("a", "b"))
    return [(_item(row, "a", "a_"), _item(row, "b", "b_")) for row in rows]


def read_files(file: Path) -> list[Item]:
    """Rows of file; optional box_x1 … box_y2.

    Raises: BadParameter, if the file or its column is missing.
    """
    return [_item(row, "file", "") for row in _rows(file, ("file",))]


class Sheet:
    """A CSV that is there whole or not at all.

    Made before the work begins, so that a folder that cannot be written to is noticed at once;
    `write` moves it into place. Use as a context manager: an interrupted one leaves nothing.
    """

    def __init__(self, file: Path) -> None:
        """Raises: StorageUnavailable."""
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        except OSError as error:
            raise _refused(file, error) from error
        os.close(handle)
        self._partial = Path(name)

    def __enter__(self) -> "Sheet":
        return self

    def __exit__(self, *_: object) -> None:
        self._partial.unlink(missing_ok=True)

    def write(
        self, columns: tuple[str, ...], rows: Iterable[tuple[str | float | None, ...]]
    ) -> None:
        """Write every row, then rename. Raises: StorageUnavailable; the old file stays then."""
        try:
            with self._partial.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows([_cell(value) for value in row] for row in rows)
            self._partial.chmod(0o644)
            self._partial.replace(self._file)
        except OSError as error:
            raise _refused(self._file, error) from error


def _rows(file: Path, columns: tuple[str, ...]) -> list[dict[str, str | None]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            names = reader.fieldnames or []
            missing = [name for name in columns if name not in names]
            if missing:
                raise BadParameter(
                    f"{file} has no column {', '.join(missing)} (it has {', '.join(names) or 'none'}); "
                    "write the names in the first line"
                )
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadParameter(f"{file} cannot be read as CSV: {error}") from error


def _item(row: Mapping[str, str | None], column: str, prefix: str) -> Item:
    file = (row.get(column) or "").strip()
    if not file:
        return Item(file, fault=f"the cell {column} is empty")
    cells = [(row.get(prefix + edge) or "").strip() for edge in EDGES]
    if not any(cells):
        return Item(file)
    try:
        x1, y1, x2, y2 = (float(cell) for cell in cells)
    except ValueError:
        return Item(file, fault=f"the box {cells} is not four numbers")
    if not all(map(math.isfinite, (x1, y1, x2, y2))) or x2 <= x1 or y2 <= y1:
        return Item(file, fault=f"the box {cells} is empty")
    return Item(file, (x1, y1, x2, y2))


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.6f}"


def _refused(file: Path, error: OSError) -> StorageUnavailable:
    return StorageUnavailable(f"cannot write {file}: {error}; free space or choose another --out")
