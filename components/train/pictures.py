"""Rows of FaceCrops -> pictures, read from the store in the order of the rows."""

import logging
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vultus.contracts.arrays import RgbImage
from vultus.contracts.seams import Store
from vultus.contracts.words import Presentation, Split
from vultus.faces.picture import decode_image

logger = logging.getLogger(__name__)
_REPORT_S = 5.0

Row = dict[str, Any]


def rows_of(crops: pa.Table, split: Split, columns: Sequence[str]) -> list[Row]:
    """All presentations of one split."""
    return _rows(crops, pc.equal(crops["split"], split.value), columns)


def faces_of(crops: pa.Table, split: Split, columns: Sequence[str]) -> list[Row]:
    """Bona fide faces of one split that no simulation touched: what an embedder is taught and judged on.

    The attacks' camera is for PAD. How often it was used there must not move an embedder.
    """
    own = pc.equal(crops["presentation"], Presentation.BONA_FIDE.value)
    own = pc.and_(own, pc.invert(crops["simulated"]))
    return _rows(crops, pc.and_(pc.equal(crops["split"], split.value), own), columns)


def _rows(crops: pa.Table, mask: pa.ChunkedArray, columns: Sequence[str]) -> list[Row]:
    rows: list[Row] = crops.filter(mask).select(list(columns)).to_pylist()
    return rows


def fair_draw(rows: list[Row], key: str, limit: int, seed: int) -> list[Row]:
    """At most `limit` rows, taken in turn from each value of `key`; the order of rows is kept."""
    if len(rows) <= limit:
        return rows
    rng = np.random.default_rng(seed)
    turns: dict[Any, int] = {}
    order = []
    for index in rng.permutation(len(rows)):
        group = rows[index][key]
        turns[group] = turns.get(group, 0) + 1
        order.append((turns[group], int(index)))
    kept = sorted(index for _, index in sorted(order)[:limit])
    logger.info("training pictures limited", extra={"kept": limit, "of": len(rows)})
    return [rows[index] for index in kept]


def pictures(store: Store, rows: list[Row], column: str, what: str) -> Iterator[RgbImage]:
    """Decode one picture a row; reports rate and time left.

    Raises: StorageUnavailable; BadArtifact, if the store lost one; BadImage.
    """
    began = reported = time.monotonic()
    for number, row in enumerate(rows):
        yield decode_image(store.get(row[column]))
        now = time.monotonic()
        if now - reported > _REPORT_S:
            rate = (number + 1) / (now - began)
            left_s = round((len(rows) - number - 1) / rate)
            facts = {"done": number + 1, "of": len(rows), "rate": round(rate, 1), "left_s": left_s}
            logger.info(what, extra=facts)
            reported = now
