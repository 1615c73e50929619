"""Columns of an artifact, one at a time and compact: words as categories, names as numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.dataset.near import Rows
from vultus.dataset.straddle import codes

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

    def codes(self, name: str) -> Rows:
        """int64 [N]: one number for each different value, -1 for null."""
        return codes(self.of(name))

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
                good = pc.match_substring_regex(part[name], _DIGEST).fill_null(False)
                whole &= good.to_numpy().astype(bool)
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


def _categories(columns: Any) -> pd.Categorical:
    encoded = [chunk for column in columns for chunk in column.dictionary_encode().chunks]
    whole = pa.chunked_array(encoded).unify_dictionaries()
    if whole.num_chunks == 0:
        return pd.Categorical([])
    indices = np.concatenate([chunk.indices.fill_null(-1).to_numpy() for chunk in whole.chunks])
    return pd.Categorical.from_codes(indices, whole.chunk(0).dictionary.to_pylist())
