"""What was cut of each picture, beside what ingest says of it, in the order of the pictures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.crop.kept import Places
from components.parts import gather
from vultus.contracts.faces import CROP_SCHEMA, FACE_SCHEMA, QUARANTINE_SCHEMA, RawFaces


@dataclass(frozen=True)
class Beside:
    """The rows of RawFaces and their cuts; pieces depend on the pictures alone, not on the parts.

    picture: int32 [N], place of each row's picture in `places`.
    """

    pictures: RawFaces
    places: Places
    picture: NDArray[np.int32]

    def crops(self, columns: Sequence[str] = CROP_SCHEMA.names) -> Iterator[pa.Table]:
        """Columns of CROP_SCHEMA where there is a face, in pieces."""
        told = [name for name in columns if name in FACE_SCHEMA.names]
        cut = [name for name in columns if name not in {*told, "face_index"}]
        for rows, cuts in self._both(told, [*cut, "reason"]):
            table = {name: rows[name] if name in told else cuts[name] for name in [*told, *cut]}
            if "face_index" in columns:
                table["face_index"] = pa.array(np.zeros(len(rows), np.int32))
            yield pa.table(table).filter(pc.is_null(cuts["reason"])).select(list(columns))

    def refused(self) -> Iterator[pa.Table]:
        """QUARANTINE_SCHEMA rows of the pictures without a usable face, in pieces."""
        for rows, cuts in self._both(["image_sha256"], ["reason", "detail"]):
            table = cuts.add_column(0, "origin", rows["image_sha256"])
            yield table.filter(pc.is_valid(cuts["reason"])).cast(QUARANTINE_SCHEMA)

    def reasons(self) -> Counter[str]:
        """How many have none, by reason."""
        found = Counter[str]()
        for table in self.refused():
            found.update(table["reason"].to_pylist())
        return found

    def _both(self, told: list[str], cut: list[str]) -> Iterator[tuple[pa.Table, pa.Table]]:
        start = 0
        for rows in self.pictures.stream(told):
            picture = self.picture[start : start + len(rows)]
            start += len(rows)
            if len(rows):
                part, row = self.places.part[picture], self.places.row[picture]
                yield rows, pa.concat_tables(gather(self.places.files, part, row, cut))
