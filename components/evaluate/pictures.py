"""Rows of FaceCrops and their pictures, one split after the other."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from components.batch import Progress
from vultus.contracts.arrays import RgbImage
from vultus.contracts.seams import Store
from vultus.contracts.words import Split
from vultus.faces.picture import decode_image

Row = dict[str, Any]
EVALUATED = (Split.VALIDATION, Split.TEST)
_BATCH = 32


def rows_of(crops: pa.Table, split: Split) -> list[Row]:
    """Rows of one split, ordered by content: the order of a table decides no trial."""
    rows = [row for row in crops.to_pylist() if row["split"] == split.value]
    return sorted(rows, key=lambda row: (row["chip_sha256"], row["context_sha256"]))


def fair_draw(
    groups: Sequence[Hashable], limit: int, seed: int | Sequence[int]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """At most `limit` places, taken in turn from each group; ascending.

    Args: groups: group of each place.
    Returns: int64 [min(limit, N)].
    """
    if len(groups) <= limit:
        return np.arange(len(groups))
    turns: dict[Hashable, int] = {}
    order: list[tuple[int, int, int]] = []
    for number, place in enumerate(np.random.default_rng(seed).permutation(len(groups))):
        group = groups[place]
        turns[group] = turns.get(group, 0) + 1
        order.append((turns[group], number, int(place)))
    return np.sort(np.array([place for *_, place in sorted(order)[:limit]], np.int64))


def batches(
    rows: Sequence[Row], column: str, store: Store, label: str
) -> Iterator[tuple[slice, list[RgbImage]]]:
    """Pictures of `column`, 32 at a time, so that memory is flat; says how far it is.

    Raises: StorageUnavailable; BadArtifact, if the store lost one.
    """
    progress = Progress(label, len(rows))
    for start in range(0, len(rows), _BATCH):
        part = slice(start, start + _BATCH)
        yield part, [decode_image(store.get(row[column])) for row in rows[part]]
        for _ in rows[part]:
            progress.step()


def declared(row: Row) -> dict[str, str]:
    """The declared attributes of a row."""
    return dict(row["attributes"] or [])


def attribute_names(rows: Sequence[Row], most: int = 8) -> list[str]:
    """Attributes with two to `most` values among the rows: more are no slices, but names."""
    values: dict[str, set[str]] = {}
    for row in rows:
        for name, value in declared(row).items():
            values.setdefault(name, set()).add(value)
    return sorted(name for name, seen in values.items() if 2 <= len(seen) <= most)
