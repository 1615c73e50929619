"""A data version as compact columns: read part by part, about 120 bytes a row, no strings kept."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.words import Presentation

Codes = NDArray[np.int32]
Values = NDArray[np.float32]
Mask = NDArray[np.bool_]
_LABELS = ("subject", "split", "presentation", "species", "source", "licence", "context_kind")
_VALUES = ("width", "height", "bytes", "detection_score", "yaw_deg", "pitch_deg", "roll_deg")
_MAYBE = ("ita_deg", "captured_at")
_LISTS = ("box", "landmarks")
_NEEDED = {*_LABELS, *_VALUES, *_MAYBE, *_LISTS, "simulated", "phash", "image_sha256", "attributes"}
_MOST_VALUES = 64
"""Values of one attribute that are told apart; an attribute with more is a name, not a group."""
_QUALITY = "quality_"
_HEX = 16


@dataclass(frozen=True)
class Labels:
    """One word a row. codes int32 [N]: places in `names`, -1 without one."""

    codes: Codes
    names: tuple[str, ...]

    def where(self, name: str) -> Mask:
        """bool [N]: the rows with this word."""
        if name not in self.names:
            return np.zeros(len(self.codes), np.bool_)
        return np.asarray(self.codes == self.names.index(name))


@dataclass(frozen=True)
class Census:
    """Everything that is counted. Columns that the version lacks are absent from the mappings.

    labels: subject, split, presentation, species, source, licence, context_kind.
    values: float32 [N]; beside the table's columns `box_px` (shorter side of the face box),
        `eyes_px` (distance of the eyes) and `captured_day` (days since 1970). NaN = not known.
    attributes: declared ones, by name. names_only: attributes with too many values for groups.
    simulated bool [N]; hashes uint64 [N], perceptual; images uint64 [N], first half of the sha256.
    """

    rows: int
    labels: Mapping[str, Labels]
    values: Mapping[str, Values]
    attributes: Mapping[str, Labels]
    simulated: Mask
    hashes: NDArray[np.uint64] | None
    images: NDArray[np.uint64]
    names_only: tuple[str, ...] = ()

    @property
    def own(self) -> Mask:
        """Bona fide pictures as they were captured: nothing simulated, no attack."""
        return self.labels["presentation"].where(Presentation.BONA_FIDE) & ~self.simulated

    @property
    def attacks(self) -> Mask:
        """Attack presentations, simulated or photographed."""
        return self.labels["presentation"].where(Presentation.ATTACK)

    @property
    def subjects(self) -> int:
        """How many there are."""
        return len(self.labels["subject"].names)


@dataclass
class Words:
    """Joins the dictionaries of many parts into one; no word is kept more than once."""

    places: dict[str, int] = field(default_factory=dict)
    parts: list[Codes] = field(default_factory=list)

    def add(self, column: pa.ChunkedArray | pa.Array) -> None:
        """Take the next part of a column of strings."""
        self.parts.append(self.codes(column))

    def codes(self, column: pa.ChunkedArray | pa.Array) -> Codes:
        """The part alone, int32 [n]: -1 for null."""
        encoded = pc.dictionary_encode(column)
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # pyarrow leaves an empty one as it is
            return np.empty(0, np.int32)
        words = encoded.dictionary.to_pylist()
        known = [self.places.setdefault(word, len(self.places)) for word in words]
        lookup = np.array([*known, -1], np.int32)
        places = pc.fill_null(encoded.indices, len(words)).to_numpy(zero_copy_only=False)
        return np.asarray(lookup[places], np.int32)

    def labels(self) -> Labels:
        """All parts that were added, in their order."""
        joined = np.concatenate([*self.parts, np.empty(0, np.int32)]).astype(np.int32)
        self.parts.clear()
        return Labels(joined, tuple(self.places))


@dataclass
class _Attributes:
    """Declared attributes of many parts: name -> words, with the rows they stand in."""

    words: dict[str, Words] = field(default_factory=dict)
    found: dict[str, list[tuple[NDArray[np.int64], Codes]]] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def add(self, column: pa.ChunkedArray, first_row: int) -> None:
        """Take one part, whose first row has this number in the whole table."""
        for chunk in column.chunks:
            offsets = chunk.offsets.to_numpy()
            rows = first_row + np.repeat(np.arange(len(chunk)), np.diff(offsets))
            inside = slice(int(offsets[0]), int(offsets[-1]))
            keys = pc.dictionary_encode(chunk.keys[inside])
            for place, name in enumerate(keys.dictionary.to_pylist()):
                if name not in self.dropped:
                    where = pc.equal(keys.indices, place).to_numpy(zero_copy_only=False)
                    self._add(name, rows[where], chunk.items[inside].filter(pa.array(where)))
            first_row += len(chunk)

    def _add(self, name: str, rows: NDArray[np.int64], values: pa.Array) -> None:
        words = self.words.setdefault(name, Words())
        self.found.setdefault(name, []).append((rows, words.codes(values)))
        if len(words.places) > _MOST_VALUES:
            self.dropped.add(name)
            del self.words[name], self.found[name]

    def labels(self, rows: int) -> dict[str, Labels]:
        """By name, sorted; -1 where a row does not declare it."""
        joined = {}
        for name in sorted(self.words):
            codes = np.full(rows, -1, np.int32)
            for places, part in self.found.pop(name):
                codes[places] = part
            joined[name] = Labels(codes, tuple(self.words[name].places))
        return joined


def wanted_columns(present: Sequence[str]) -> list[str]:
    """Those of a table's columns that a census reads."""
    return [name for name in present if name in _NEEDED or name.startswith(_QUALITY)]


def take_census(
    tables: Iterable[pa.Table], said: Callable[[int], None] = lambda rows: None
) -> Census:
    """Read the parts of a RawFaces or FaceCrops table.

    Args:
        tables: parts with at least subject, split, presentation, simulated and image_sha256.
        said: called after each part with the rows so far.
    """
    words = {name: Words() for name in _LABELS}
    attributes = _Attributes()
    values: dict[str, list[Values]] = {}
    simulated: list[Mask] = []
    hashes: list[NDArray[np.uint64]] = []
    images: list[NDArray[np.uint64]] = []
    rows = 0
    for table in tables:
        for name in _LABELS:
            if name in table.column_names:
                words[name].add(table[name])
        for name, column in _numbers(table):
            values.setdefault(name, []).append(column)
        if "attributes" in table.column_names:
            attributes.add(table["attributes"], rows)
        if "phash" in table.column_names:
            hashes.append(table["phash"].to_numpy())
        simulated.append(table["simulated"].to_numpy().astype(np.bool_))
        images.append(short_digests(table["image_sha256"]))
        rows += len(table)
        said(rows)
    return Census(
        rows=rows,
        labels={name: one.labels() for name, one in words.items() if one.parts},
        values={name: np.concatenate(parts) for name, parts in values.items()},
        attributes=attributes.labels(rows),
        simulated=np.concatenate([*simulated, np.empty(0, np.bool_)]),
        hashes=np.concatenate(hashes) if hashes else None,
        images=np.concatenate([*images, np.empty(0, np.uint64)]),
        names_only=tuple(sorted(attributes.dropped)),
    )


def short_digests(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    """The first 64 bits of hex digests, uint64 [N]: two of 4 million agree by chance in 1 of 10^6."""
    if not len(column):
        return np.empty(0, np.uint64)
    text = np.concatenate([_fixed(chunk) for chunk in column.chunks if len(chunk)])
    digit = np.where(text >= ord("a"), text - ord("a") + 10, text - ord("0")).astype(np.uint8)
    packed = (digit[:, 0::2] << 4) | digit[:, 1::2]
    return np.ascontiguousarray(packed).view(">u8").reshape(-1).astype(np.uint64)


def _fixed(chunk: pa.Array) -> NDArray[np.uint8]:
    """The first 16 bytes of each string, uint8 [N, 16]."""
    start = pc.utf8_slice_codeunits(pc.utf8_lower(chunk), 0, _HEX)
    whole = start.cast(pa.binary(), safe=False).cast(pa.binary(_HEX))
    size = len(whole) * _HEX
    data = np.frombuffer(whole.buffers()[1], np.uint8, size, whole.offset * _HEX)
    return data.reshape(-1, _HEX)


def _numbers(table: pa.Table) -> Iterator[tuple[str, Values]]:
    """Every numeric column, and the three that are worked out from others."""
    for name in table.column_names:
        if name in _VALUES or name == "ita_deg" or name.startswith(_QUALITY):
            column = table[name].cast(pa.float32(), safe=False)
            yield name, column.to_numpy().astype(np.float32, copy=False)
    if "captured_at" in table.column_names:
        days = table["captured_at"].cast(pa.timestamp("ms", tz="UTC")).cast(pa.int64())
        yield "captured_day", (days.to_numpy() / 86_400_000).astype(np.float32)
    if "box" in table.column_names:
        box = _rectangle(table["box"], 4)
        yield "box_px", np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    if "landmarks" in table.column_names:
        points = _rectangle(table["landmarks"], 10)
        yield "eyes_px", np.hypot(points[:, 2] - points[:, 0], points[:, 3] - points[:, 1])


def _rectangle(column: pa.ChunkedArray, width: int) -> Values:
    """A column of lists of one length as float32 [N, width]."""
    parts = [chunk.flatten().to_numpy().reshape(-1, width) for chunk in column.chunks]
    return np.concatenate([*parts, np.empty((0, width), np.float32)]).astype(np.float32)
