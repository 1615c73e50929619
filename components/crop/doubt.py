"""Near duplicates across splits or subjects, found once all hashes are known."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.crop.cutting import CropParams
from vultus.contracts.faces import QUARANTINE_SCHEMA
from vultus.dataset.straddle import ACROSS_SPLITS, REASONS, TWO_IDENTITIES, NearRows, doubtful


@dataclass(frozen=True)
class Doubt:
    """Which rows of the crops must go: a code of REASONS for each, 0 for those that stay."""

    codes: NDArray[np.int8]
    params: CropParams

    @classmethod
    def over(cls, rows: Iterable[pa.Table], params: CropParams) -> Self:
        """Judge all rows; `rows` has NEAR_COLUMNS, in pieces."""
        codes = doubtful(
            NearRows.of(rows),
            near_bits=params.near_duplicate_bits,
            identity_bits=params.same_picture_bits,
        )
        return cls(codes, params)

    def reasons(self) -> Counter[str]:
        """How many rows go, by reason."""
        return Counter(REASONS[code] for code in self.codes[self.codes != 0].tolist())

    def kept(self, crops: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """The rows that stay; `crops` are all of them, in pieces."""
        for table, codes in self._beside(crops):
            yield table.filter(pa.array(codes == 0))

    def refused(self, crops: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """QUARANTINE_SCHEMA rows of the others; `crops` has at least `image_sha256`."""
        details = {
            ACROSS_SPLITS: f"within {self.params.near_duplicate_bits} bits of a picture in "
            "another split",
            TWO_IDENTITIES: f"within {self.params.same_picture_bits} bits of a picture of "
            "another subject",
        }
        for table, codes in self._beside(crops):
            reasons = [REASONS[code] for code in codes[codes != 0].tolist()]
            columns = {
                "origin": table["image_sha256"].filter(pa.array(codes != 0)),
                "reason": reasons,
                "detail": [details[reason] for reason in reasons],
            }
            yield pa.table(columns, QUARANTINE_SCHEMA)

    def _beside(self, tables: Iterable[pa.Table]) -> Iterator[tuple[pa.Table, NDArray[np.int8]]]:
        start = 0
        for table in tables:
            yield table, self.codes[start : start + len(table)]
            start += len(table)
