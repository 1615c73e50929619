"""The journal's pieces -> one table in the source's order, without what would leak or mislead.

Two passes, so that memory does not grow with the pictures: the first keeps 30 bytes a row (which
picture, whose, where) and decides; the second reads the pieces again and writes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.ingest.journal import Journal
from components.parts import Keys, gather, keys_of, read_part
from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA
from vultus.contracts.words import Split
from vultus.dataset.census import short_digests

_SLICE = 2048
_NO_NAME = "0" * 16

TWO_IDENTITIES = "two_identities"
DUPLICATE = "duplicate"
LONE = "lone_picture"
_ROW = np.dtype(
    [
        ("ordinal", "i4"),  # of the item in the offer
        ("piece", "i4"),
        ("row", "i4"),
        ("picture", "u8"),  # 64 bits of the sha256: of 4 million two agree once in 2 million times
        ("subject", "u8"),
        ("simulated", "?"),
        ("verdict", "i1"),
    ]
)
"""The first pass, one entry a row: 30 bytes."""
Rows = NDArray[np.void]
_TWO_IDENTITIES, _DUPLICATE, _LONE = np.arange(1, 4, dtype=np.int8)


@dataclass(frozen=True)
class Plan:
    """Which rows of which pieces become the table, in order.

    piece, row: int32 [N], place of each row; verdict: int8 [N], index into `words`, 0 where the row is
    kept.
    """

    parts: list[Path]
    piece: NDArray[np.int32]
    row: NDArray[np.int32]
    verdict: NDArray[np.int8]
    words: list[str]

    @property
    def kept(self) -> int:
        """Rows of the table."""
        return int((self.verdict == 0).sum())

    def reasons(self) -> Counter[str]:
        """Refused rows by reason."""
        counts = np.bincount(self.verdict, minlength=1).tolist()
        return Counter({self.words[i]: n for i, n in enumerate(counts) if i and n})

    def faces(self, splits: Mapping[str, Split]) -> Iterator[pa.Table]:
        """The kept rows as FACE_SCHEMA; `splits` has the split of every pseudonym."""
        for table in self._gather(np.flatnonzero(self.verdict == 0)):
            names = table["subject"].combine_chunks().dictionary_encode()
            words = pa.array([splits[name].value for name in names.dictionary.to_pylist()])
            split = words.take(names.indices)
            yield table.append_column("split", split).select(FACE_SCHEMA.names)

    def subjects(self) -> set[str]:
        """Pseudonyms of the kept rows."""
        return {
            name
            for table in self._kept(["subject"])
            for name in pc.unique(table["subject"]).to_pylist()
        }

    def strata(self) -> Iterator[pa.Table]:
        """What decides the strata of the kept rows, piece by piece, in no order that matters."""
        return self._kept(["subject", "attributes", "species", "simulated"])

    def _kept(self, columns: list[str]) -> Iterator[pa.Table]:
        order = np.flatnonzero(self.verdict == 0)
        order = order[np.argsort(self.piece[order], kind="stable")]
        bounds = np.searchsorted(self.piece[order], np.arange(len(self.parts) + 1))
        for file, start, end in zip(self.parts, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                rows = self.row[order[start:end]]
                yield read_part(file, columns).take(pa.array(rows))
        pa.default_memory_pool().release_unused()

    def quarantine(self, min_images: int) -> Iterator[pa.Table]:
        """The refused rows as QUARANTINE_SCHEMA."""
        said = {
            TWO_IDENTITIES: "the file lies under two subjects",
            DUPLICATE: "the same file was taken already",
            LONE: f"its subject has fewer than {min_images} pictures",
        }
        wanted = np.flatnonzero(self.verdict != 0)
        for start in range(0, len(wanted), _SLICE):
            order = wanted[start : start + _SLICE]
            table = pa.concat_tables(self._gather(order))
            reasons = [self.words[verdict] for verdict in self.verdict[order]]
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
        """Rows in the given order."""
        return gather(self.parts, self.piece[order], self.row[order])


def plan_table(journal: Journal, offered: Keys, min_images: int) -> Plan:
    """Decide over every row of the journal that the source still offers.

    Args:
        offered: keys of the source's items, in its order.
        min_images: of one subject; with fewer, all of its rows are left out.
    """
    parts = journal.files()
    words = ["", TWO_IDENTITIES, DUPLICATE, LONE]
    rows = _in_order(parts, offered, words)
    _refuse_copies(rows)
    _refuse_lone(rows, min_images)
    gone = (rows["verdict"] == _LONE) & rows["simulated"]
    if gone.any():
        rows = rows[~gone]
    piece, row, verdict = (rows[name].copy() for name in ("piece", "row", "verdict"))
    return Plan(parts, piece, row, verdict, words)


def _refuse_copies(rows: Rows) -> None:
    """One file under two names is refused under both; of a copy under one name the first stays."""
    where = np.flatnonzero(rows["verdict"] == 0)
    pictures = rows["picture"][where]
    if len(np.unique(pictures)) == len(pictures):
        return
    _, first, picture = np.unique(pictures, return_index=True, return_inverse=True)
    subjects = rows["subject"][where]
    low = np.full(len(first), np.iinfo(np.uint64).max)
    high = np.zeros(len(first), np.uint64)
    np.minimum.at(low, picture, subjects)
    np.maximum.at(high, picture, subjects)
    copies = np.ones(len(where), np.bool_)
    copies[first] = False
    rows["verdict"][where[copies]] = _DUPLICATE
    rows["verdict"][where[(low != high)[picture]]] = _TWO_IDENTITIES


def _refuse_lone(rows: Rows, min_images: int) -> None:
    kept = rows["verdict"] == 0
    with_any = np.unique(rows["subject"][kept])
    originals = rows["subject"][kept & ~rows["simulated"]]
    names, counts = np.unique(originals, return_counts=True)
    lone = np.setdiff1d(with_any, names[counts >= min_images])
    if len(lone):
        rows["verdict"][kept & np.isin(rows["subject"], lone)] = _LONE


def _in_order(parts: list[Path], offered: Keys, words: list[str]) -> Rows:
    """The rows of what is offered, each once, in the order of the offer; new reasons join `words`."""
    every, first = np.unique(offered, return_index=True)
    again = np.setdiff1d(np.arange(len(offered)), first) if len(every) < len(offered) else first[:0]
    more = Counter(first[np.searchsorted(every, offered[again])].tolist())
    found = [_of_part(number, file, every, first, words) for number, file in enumerate(parts)]
    pa.default_memory_pool().release_unused()
    # A piece follows the offer: in this order nothing is left to sort, unless the source has grown.
    found.sort(key=lambda piece: int(piece["ordinal"][0]) if len(piece) else -1)
    rows = np.concatenate([*found, np.zeros(0, _ROW)])
    del every, first, found
    if (rows["ordinal"][1:] < rows["ordinal"][:-1]).any():
        rows = rows[np.argsort(rows["ordinal"], kind="stable")]
    return _each_once(rows, more)


def _each_once(rows: Rows, more: Mapping[int, int]) -> Rows:
    """Without what two pieces hold (its bytes were lost and read again), and with the lines that a
    list repeats, as duplicates.

    Args: more: ordinal -> further offers of the same item.
    """
    originals = rows["ordinal"][~rows["simulated"]]
    if not more and (originals[1:] != originals[:-1]).all():
        return rows
    once = rows[np.sort(np.unique(rows[["ordinal", "picture"]], return_index=True)[1])]
    here = np.flatnonzero(~once["simulated"] & np.isin(once["ordinal"], list(more)))
    repeated = np.repeat(once[here], [more[place] for place in once["ordinal"][here].tolist()])
    repeated["verdict"] = _DUPLICATE
    return np.concatenate([once, repeated])


def _of_part(
    number: int, file: Path, every: Keys, first: NDArray[np.int64], words: list[str]
) -> Rows:
    """Ordinal, and what decides, of each row that is still offered."""
    table = read_part(file, ["item", "image_sha256", "subject", "simulated", "reason"])
    keys = keys_of(table["item"])
    place = np.minimum(np.searchsorted(every, keys), max(len(every) - 1, 0))
    here = np.flatnonzero(every[place] == keys) if len(every) else np.zeros(0, np.int64)
    reasons = table["reason"].combine_chunks().fill_null("").dictionary_encode()
    said = reasons.dictionary.to_pylist()
    words += sorted(set(said) - set(words))
    verdicts = np.array([words.index(reason) for reason in said], np.int8)
    rows = np.zeros(len(here), _ROW)
    rows["ordinal"] = first[place[here]] if len(here) else 0
    rows["piece"], rows["row"] = number, here
    rows["picture"] = short_digests(pc.fill_null(table["image_sha256"], _NO_NAME))[here]
    rows["subject"] = short_digests(pc.fill_null(table["subject"], _NO_NAME))[here]
    rows["simulated"] = pc.fill_null(table["simulated"], fill_value=False).to_numpy()[here]
    rows["verdict"] = verdicts[reasons.indices.to_numpy()[here]]
    return rows
