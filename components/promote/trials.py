"""Scores of two versions on the same trials: read where the trials agree, scored again where not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.promote.networks import rescorer_of
from components.promote.reckoning import rows_of
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store


@dataclass(frozen=True)
class Paired:
    """Test trials of the candidate with both scores.

    candidate, champion: float64 [N]; positive: bool [N] (mated / bona fide); groups: int64 [N], what
    the bootstrap draws: subjects of the first picture, for PAD the picture; slices: per trial the
    names of the slices it belongs to; unscored: trials left out because only the champion scored them.
    """

    candidate: NDArray[np.float64]
    champion: NDArray[np.float64]
    positive: NDArray[np.bool_]
    groups: NDArray[np.int64]
    slices: list[list[str]]
    unscored: int = 0


def paired_scores(candidate: ModelVersion, champion: ModelVersion, store: Store) -> Paired:
    """Both versions on the candidate's test trials.

    Raises: BadArtifact, StorageUnavailable, if a picture is needed again and gone.
    """
    rows, others = rows_of(candidate), rows_of(champion)
    same = _trials_of(candidate) == _trials_of(champion) and _keys(rows) == _keys(others)
    theirs = _scores(others) if same else rescorer_of(champion, store)(rows)
    recognition = candidate.task == "recognition"
    mated = rows["mated"] if recognition else rows["species"].is_null()
    positive = mated.to_numpy(zero_copy_only=False).astype(bool)
    groups = _subjects(rows) if recognition else _numbered(rows["image"].to_pylist())
    ours = _scores(rows)
    known = np.isfinite(ours) & np.isfinite(theirs)
    slices = _slices(rows)
    return Paired(
        ours[known],
        theirs[known],
        positive[known],
        groups[known],
        [names for names, keep in zip(slices, known, strict=True) if keep],
        unscored=int((~np.isfinite(ours) & np.isfinite(theirs)).sum()),
    )


def _slices(rows: pa.Table) -> list[list[str]]:
    """Those of the trials; of presentations each PAI species too, with all bona fide beside it."""
    named = [names or [] for names in rows["slices"].to_pylist()]
    if "species" not in rows.column_names:
        return named
    species = rows["species"].to_pylist()
    every = sorted({one for one in species if one is not None})
    own = [every if one is None else [one] for one in species]
    return [
        [*names, *(f"species={one}" for one in kinds)]
        for names, kinds in zip(named, own, strict=True)
    ]


def _subjects(rows: pa.Table) -> NDArray[np.int64]:
    """Subject of each trial's first picture: pictures that mated trials join are of one subject."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    firsts, seconds = rows["a"].to_pylist(), rows["b"].to_pylist()
    for a, b, mated in zip(firsts, seconds, rows["mated"].to_pylist(), strict=True):
        if mated:
            parent[root(a)] = root(b)
    return _numbered([root(a) for a in firsts])


def _numbered(names: list[str]) -> NDArray[np.int64]:
    _, numbers = np.unique(np.array(names, dtype=object).astype(str), return_inverse=True)
    return numbers.astype(np.int64)


def _keys(rows: pa.Table) -> list[Any]:
    names = [name for name in ("a", "b", "image", "box") if name in rows.column_names]
    return [rows[name].to_pylist() for name in names]


def _trials_of(version: ModelVersion) -> str:
    """Of the file itself, which is signed; a fact of the manifest is not."""
    return version.manifest.sha256["trials.parquet"]


def _scores(rows: pa.Table) -> NDArray[np.float64]:
    name = "score" if "score" in rows.column_names else "pad_score"
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)
