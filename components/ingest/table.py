"""The journal's pieces -> one table in the source's order, without what would leak or mislead.

Two passes, so that memory does not grow with the pictures: the first keeps some 60 bytes a row (which
picture, whose, where) and decides; the second reads the pieces again and writes.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from components.ingest.journal import ItemKeys, Journal, keys_of
from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA

_SLICE = 8192
_PIECES_KEPT = 64

TWO_IDENTITIES = "two_identities"
DUPLICATE = "duplicate"
LONE = "lone_picture"


@dataclass(frozen=True)
class Plan:
    """Which rows of which pieces become the table, in order.

    piece, row: int32 [N], place of each row; reason: str [N], empty where the row is kept.
    """

    parts: list[Path]
    piece: NDArray[np.int32]
    row: NDArray[np.int32]
    reason: NDArray[np.str_]

    def reasons(self) -> Counter[str]:
        """Refused rows by reason."""
        return Counter(self.reason[self.reason != ""].tolist())

    def faces(self, split_of: Callable[[str], str]) -> Iterator[pa.Table]:
        """The kept rows as FACE_SCHEMA; `split_of` gives the split of a pseudonym."""
        for table in self._gather(np.flatnonzero(self.reason == "")):
            splits = pa.array([split_of(subject.as_py()) for subject in table["subject"]])
            yield table.append_column("split", splits).select(FACE_SCHEMA.names)

    def quarantine(self, min_images: int) -> Iterator[pa.Table]:
        """The refused rows as QUARANTINE_SCHEMA."""
        said = {
            TWO_IDENTITIES: "the file lies under two subjects",
            DUPLICATE: "the same file was taken already",
            LONE: f"its subject has fewer than {min_images} pictures",
        }
        wanted = np.flatnonzero(self.reason != "")
        for start in range(0, len(wanted), _SLICE):
            order = wanted[start : start + _SLICE]
            table = pa.concat_tables(self._gather(order))
            reasons = [str(reason) for reason in self.reason[order]]
            details = table["detail"].to_pylist()
            yield pa.table(
                {
                    "origin": table["origin"],
                    "reason": reasons,
                    "detail": [
                        said.get(reason, detail)
                        for reason, detail in zip(reasons, details, strict=True)
                    ],
                },
                QUARANTINE_SCHEMA,
            )

    def _gather(self, order: NDArray[np.int64]) -> Iterator[pa.Table]:
        """Rows in the given order; pieces are read once where they follow each other."""
        kept: OrderedDict[int, pa.Table] = OrderedDict()
        for start in range(0, len(order), _SLICE):
            wanted = order[start : start + _SLICE]
            pieces, rows = self.piece[wanted], self.row[wanted]
            tables: list[pa.Table] = []
            places: list[NDArray[np.int64]] = []
            for piece in dict.fromkeys(pieces.tolist()):
                if piece not in kept:
                    kept[piece] = pq.read_table(self.parts[piece])
                    if len(kept) > _PIECES_KEPT:
                        kept.popitem(last=False)
                here = np.flatnonzero(pieces == piece)
                tables.append(kept[piece].take(pa.array(rows[here])))
                places.append(here)
            back = np.argsort(np.concatenate(places), kind="stable")
            yield pa.concat_tables(tables).take(pa.array(back))


@dataclass(frozen=True)
class _Rows:
    """The first pass, one entry a row, in the source's order."""

    piece: NDArray[np.int32]
    row: NDArray[np.int32]
    picture: NDArray[np.bytes_]
    subject: NDArray[np.bytes_]
    simulated: NDArray[np.bool_]
    reason: NDArray[np.str_]


def plan_table(journal: Journal, offered: ItemKeys, min_images: int) -> Plan:
    """Decide over every row of the journal that the source still offers.

    Args:
        offered: keys of the source's items, in its order.
        min_images: of one subject; with fewer, all of its rows are left out.
    """
    parts = journal.parts()
    rows = _in_order(parts, offered)
    accepted = rows.reason == ""
    reason = rows.reason.astype("<U32")
    _refuse_copies(rows, accepted, reason)
    _refuse_lone(rows, reason, min_images)
    keep = ~((reason == LONE) & rows.simulated)
    return Plan(parts, rows.piece[keep], rows.row[keep], reason[keep])


def _refuse_copies(rows: _Rows, accepted: NDArray[np.bool_], reason: NDArray[np.str_]) -> None:
    """One file under two names is refused under both; of a copy under one name the first stays."""
    _, picture = np.unique(rows.picture, return_inverse=True)
    _, subject = np.unique(rows.subject, return_inverse=True)
    where = np.flatnonzero(accepted)
    pictures, subjects = picture[where], subject[where]
    low = np.full(picture.max(initial=0) + 1, np.iinfo(np.int64).max)
    high = np.full(len(low), -1)
    np.minimum.at(low, pictures, subjects)
    np.maximum.at(high, pictures, subjects)
    shared = low[pictures] != high[pictures]
    first = np.zeros(len(where), np.bool_)
    first[np.unique(pictures, return_index=True)[1]] = True
    reason[where[~first]] = DUPLICATE
    reason[where[shared]] = TWO_IDENTITIES


def _refuse_lone(rows: _Rows, reason: NDArray[np.str_], min_images: int) -> None:
    kept = reason == ""
    _, subject = np.unique(rows.subject, return_inverse=True)
    originals = np.bincount(subject[kept & ~rows.simulated], minlength=subject.max(initial=0) + 1)
    reason[kept & (originals[subject] < min_images)] = LONE


def _in_order(parts: list[Path], offered: ItemKeys) -> _Rows:
    """The rows of what is offered, each once, in the order of the offer."""
    every, first, times = np.unique(offered, return_index=True, return_counts=True)
    pieces = [_of_part(number, file, every) for number, file in enumerate(parts)]
    if not any(len(place) for place, _ in pieces):
        return _Rows(*(np.zeros(0, kind) for kind in ("i4", "i4", "S32", "S16", "?", "<U32")))
    place = np.concatenate([place for place, _ in pieces])
    rows = _Rows(
        **{
            field.name: np.concatenate([getattr(rows, field.name) for _, rows in pieces])
            for field in fields(_Rows)
        }
    )
    order = np.argsort(first[place], kind="stable")
    # A piece that was read again (its bytes were lost) or a line that a list repeats.
    _, once = np.unique(np.rec.fromarrays([place[order], rows.picture[order]]), return_index=True)
    order = order[np.sort(once)]
    more = np.repeat(order, np.where(rows.simulated[order], 0, times[place[order]] - 1))
    reason = np.concatenate([rows.reason[order], np.full(len(more), DUPLICATE)])
    order = np.concatenate([order, more])
    again = {field.name: getattr(rows, field.name)[order] for field in fields(_Rows)}
    return _Rows(**again | {"reason": reason})


def _of_part(number: int, file: Path, every: ItemKeys) -> tuple[NDArray[np.int64], _Rows]:
    """Place among the sorted keys, and what decides, of each row that is still offered."""
    table = pq.read_table(file, columns=["item", "image_sha256", "subject", "simulated", "reason"])
    keys = keys_of(table["item"])
    place = np.minimum(np.searchsorted(every, keys), max(len(every) - 1, 0))
    here = np.flatnonzero(every[place] == keys) if len(every) else np.zeros(0, np.int64)
    return place[here], _Rows(
        piece=np.full(len(here), number, np.int32),
        row=here.astype(np.int32),
        picture=_fixed(table["image_sha256"], "S32")[here],
        subject=_fixed(table["subject"], "S16")[here],
        simulated=table["simulated"].fill_null(False).to_numpy()[here],
        reason=table["reason"].fill_null("").to_numpy().astype("<U32")[here],
    )


def _fixed(column: pa.ChunkedArray, kind: str) -> NDArray[np.bytes_]:
    """Hex names as fixed bytes (the first 128 bits of a sha256 are enough to tell files apart)."""
    return np.array(["" if value is None else value for value in column.to_pylist()]).astype(kind)
