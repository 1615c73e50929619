"""The few pictures that a dataset report shows, found by their row numbers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.seams import Encoder, Store
from vultus.faces.picture import decode_image

Kind = Literal["chip", "context"]
_BATCH = 64


@dataclass
class Album:
    """Pictures of rows: references from the table, once for each call, bytes from the store."""

    version: FaceCrops | RawFaces
    store: Store

    def pictures(self, rows: Iterable[int], kind: Kind = "chip") -> dict[int, RgbImage]:
        """Row -> RGB picture. A RawFaces has no crops: its whole images are taken.

        Raises: StorageUnavailable; BadArtifact, if the store lost one.
        """
        found = self._references(rows, kind)
        return {row: decode_image(self.store.get(digest)) for row, digest in found.items()}

    def refused(self, reason: str, most: int) -> list[RgbImage]:
        """Pictures that `crop` quarantined for this reason: there the origin is the image's sha256."""
        table = self.version.quarantine
        chosen = table.filter(np.array(table["reason"].to_pylist(), object) == reason)
        origins = [origin for origin in chosen["origin"].to_pylist() if self._is_kept(origin)]
        return [decode_image(self.store.get(origin)) for origin in origins[:most]]

    def embed(
        self, encoder: Encoder, rows: NDArray[np.int64], said: Callable[[str], None]
    ) -> Embeddings:
        """Embeddings of the chips of these rows, 64 at a time. float32 [N, D]."""
        references = self._references(rows, "chip")
        made = np.empty((rows.size, encoder.dimension), np.float32)
        for start in range(0, rows.size, _BATCH):
            part = rows[start : start + _BATCH]
            chips = [decode_image(self.store.get(references[int(row)])) for row in part]
            made[start : start + _BATCH] = encoder.encode(np.stack(chips))
            said(f"{start + part.size:,} of {rows.size:,} pictures embedded")
        return made

    def _is_kept(self, origin: str) -> bool:
        return len(origin) == 64 and self.store.has(origin)

    def _references(self, rows: Iterable[int], kind: Kind) -> dict[int, str]:
        crops = isinstance(self.version, FaceCrops)
        return references(self.version, rows, f"{kind}_sha256" if crops else "image_sha256")


def references(version: FaceCrops | RawFaces, rows: Iterable[int], column: str) -> dict[int, str]:
    """Row -> its entry in a column of sha256, read part by part. Args: rows: numbers, any order."""
    wanted = np.unique(np.fromiter(rows, np.int64))
    found: dict[int, str] = {}
    first = 0
    for table in version.stream([column]) if wanted.size else ():
        inside = wanted[(wanted >= first) & (wanted < first + len(table))]
        digests = table[column].take(inside - first).to_pylist()
        found |= dict(zip(inside.tolist(), digests, strict=True))
        first += len(table)
    return found
