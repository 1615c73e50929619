"""What a run has finished, on disk: a killed run goes on there and ends as an undisturbed one would."""

import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vultus.contracts.artifact import write_table
from vultus.contracts.faces import CROP_SCHEMA, QUARANTINE_SCHEMA
from vultus.contracts.writing import sync_folder, sync_tree
from vultus.errors import StorageUnavailable

logger = logging.getLogger(__name__)
_TABLES = {"crops": CROP_SCHEMA, "quarantine": QUARANTINE_SCHEMA}


class Journal:
    """Pieces of the two tables, numbered from 0 without a gap, each there whole or not at all.

    Args: folder: of one fingerprint (params and inputs); made when the first piece is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def finished(self) -> int:
        """Pieces that need not be made again; one that cannot be read ends the count."""
        number = 0
        while self._readable(self._piece(number)):
            number += 1
        return number

    def keep(
        self, number: int, crops: list[dict[str, Any]], quarantine: list[dict[str, Any]]
    ) -> None:
        """Write one piece in one rename. Raises: StorageUnavailable; nothing half-written stays."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=self._folder, prefix=".partial-"))
            try:
                for name, rows in (("crops", crops), ("quarantine", quarantine)):
                    table = pa.Table.from_pylist(rows, _TABLES[name])
                    write_table(table, _TABLES[name], partial / f"{name}.parquet")
                sync_tree(partial)
                place = self._piece(number)
                shutil.rmtree(place, ignore_errors=True)
                partial.rename(place)
                sync_folder(self._folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot write below {self._folder}: {error}; free space, then run the same again"
            ) from error

    def stream(self, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of `crops` or `quarantine`, piece by piece, in order."""
        wanted = None if columns is None else list(columns)
        for number in range(self.finished()):
            yield pq.read_table(self._piece(number) / f"{name}.parquet", columns=wanted)

    def rows(self, name: str) -> int:
        """How many rows `stream` gives, from the files' last bytes alone."""
        files = (self._piece(number) / f"{name}.parquet" for number in range(self.finished()))
        return sum(pq.read_metadata(file).num_rows for file in files)

    def forget(self) -> None:
        """Remove everything: the artifact is there."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _piece(self, number: int) -> Path:
        return self._folder / f"piece-{number:06d}"

    @staticmethod
    def _readable(piece: Path) -> bool:
        if not piece.is_dir():
            return False
        try:
            for name, schema in _TABLES.items():
                if not pq.read_schema(piece / f"{name}.parquet").equals(schema):
                    return False
        except (OSError, pa.ArrowInvalid) as error:
            logger.warning(
                "a piece of the journal is unreadable and made again",
                extra={"piece": str(piece), "error": str(error)},
            )
            return False
        return True
