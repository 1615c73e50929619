"""Columns of an artifact, one at a time and compact: words as categories, names as numbers."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.dataset.census import short_digests
from vultus.dataset.near import Rows

Numbers = NDArray[np.generic]

_DIGEST = "^[0-9a-f]{64}$"


class Columns:
    """Reads what is asked for, part by part, and keeps nothing."""

    def __init__(self, artifact: RawFaces | FaceCrops) -> None:
        self._artifact = artifact

    def table(self, names: Sequence[str]) -> pa.Table:
        """These columns, all rows."""
        return pa.concat_tables(self._artifact.stream(names))

    def of(self, name: str) -> pa.ChunkedArray:
        """One column."""
        return self.table([name])[name]

    def numbers(self, name: str, kind: type[np.generic]) -> Numbers:
        """[N] of that kind; a null among numbers with a point is NaN."""
        return np.asarray(self.of(name).to_numpy(), kind)

    def measures(self, names: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """`numbers` as float32 for many columns, with one look at each part."""
        made = {name: np.empty(self._artifact.rows, np.float32) for name in names}
        start = 0
        for part in self._artifact.stream(names):
            for name in names:
                made[name][start : start + len(part)] = part[name].to_numpy()
            start += len(part)
        return made

    def numbered(self, name: str) -> NDArray[np.int32]:
        """One number for each different sha256 of a column, int32 [N]; by its first 64 bits, of which
        two in 4 million agree by chance once in 10^6 tables."""
        parts = [np.empty(0, np.uint64)]
        for part in self._artifact.stream([name]):
            whole = _whole(part[name])
            digests = part[name] if whole.all() else _hashed(part[name], whole)
            parts.append(short_digests(digests))
        return np.unique(np.concatenate(parts), return_inverse=True)[1].astype(np.int32)

    def words(self, name: str) -> pd.Categorical:
        """A column of few different words."""
        return _categories(part[name] for part in self._artifact.stream([name]))

    def attribute(self, name: str) -> pd.Categorical:
        """One declared attribute; missing where a picture does not declare it."""
        return _categories(
            pc.map_lookup(part["attributes"], pa.scalar(name), "first")
            for part in self._artifact.stream(["attributes"])
        )

    def present(self, name: str) -> NDArray[np.bool_]:
        """bool [N]: not null."""
        return np.concatenate(
            [
                pc.is_valid(part[name]).to_numpy().astype(bool)
                for part in self._artifact.stream([name])
            ]
        )

    def digests(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """bool [N]: each of these is 64 hex characters."""
        parts = []
        for part in self._artifact.stream(names):
            whole = np.ones(len(part), bool)
            for name in names:
                whole &= _whole(part[name])
            parts.append(whole)
        return np.concatenate(parts)

    def rows(self, places: Rows, names: Sequence[str]) -> pa.Table:
        """Some rows, in the given order; at most one part is in memory."""
        order = np.argsort(places, kind="stable")
        wanted, taken, start = places[order], [], 0
        for part in self._artifact.stream(names):
            low, high = np.searchsorted(wanted, [start, start + len(part)])
            taken.append(part.take(pa.array(wanted[low:high] - start)))
            start += len(part)
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_tables(taken).take(pa.array(back))


def _whole(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """bool [N]: 64 hex characters."""
    good = pc.match_substring_regex(column, _DIGEST).fill_null(False)
    return np.asarray(good.to_numpy(), np.bool_)


def _hashed(column: pa.ChunkedArray, whole: NDArray[np.bool_]) -> pa.ChunkedArray:
    """The column with a sha256 in place of what is none: equal words stay equal."""
    words = column.to_pylist()
    for place in np.flatnonzero(~whole):
        words[place] = hashlib.sha256(str(words[place]).encode()).hexdigest()
    return pa.chunked_array([pa.array(words, pa.string())])


def _categories(columns: Any) -> pd.Categorical:
    encoded = [chunk for column in columns for chunk in column.dictionary_encode().chunks]
    whole = pa.chunked_array(encoded).unify_dictionaries()
    if whole.num_chunks == 0:
        return pd.Categorical([])
    indices = np.concatenate([chunk.indices.fill_null(-1).to_numpy() for chunk in whole.chunks])
    return pd.Categorical.from_codes(indices, whole.chunk(0).dictionary.to_pylist())
