"""Scores of two versions on the same trials: read where the trials agree, scored again where not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus.contracts.arrays import Scores
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.contracts.words import Split
from vultus.faces.picture import decode_image

_BATCH = 64


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
    rows, others = _test_rows(candidate), _test_rows(champion)
    same = _trials_of(candidate) == _trials_of(champion) and _keys(rows) == _keys(others)
    theirs = _scores(others) if same else _score_again(champion, rows, store)
    recognition = candidate.task == "recognition"
    mated = rows["mated"] if recognition else rows["species"].is_null()
    positive = mated.to_numpy(zero_copy_only=False).astype(bool)
    groups = _subjects(rows) if recognition else _numbered(rows["image"].to_pylist())
    ours = _scores(rows)
    known = np.isfinite(ours) & np.isfinite(theirs)
    slices = [names or [] for names in rows["slices"].to_pylist()]
    return Paired(
        ours[known],
        theirs[known],
        positive[known],
        groups[known],
        [names for names, keep in zip(slices, known, strict=True) if keep],
        unscored=int((~np.isfinite(ours) & np.isfinite(theirs)).sum()),
    )


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


def _trials_of(version: ModelVersion) -> Any:
    return version.manifest.facts.get("trials_sha256")


def _test_rows(version: ModelVersion) -> pa.Table:
    import pyarrow.compute as pc

    rows = version.table("scores.parquet")
    keep = pc.equal(rows["split"], Split.TEST.value)
    if "member" in rows.column_names:
        keep = pc.and_(keep, pc.equal(rows["member"], "panel"))
    return rows.filter(keep)


def _scores(rows: pa.Table) -> NDArray[np.float64]:
    name = "score" if "score" in rows.column_names else "pad_score"
    return np.asarray(rows[name].to_numpy(zero_copy_only=False), np.float64)


def _score_again(version: ModelVersion, rows: pa.Table, store: Store) -> NDArray[np.float64]:
    """Run the version's own networks on the pictures of these trials."""
    transform = version.transform
    if isinstance(transform, RecognitionTransform):
        return _match_again(version, transform, rows, store)
    return _judge_again(version, transform, rows, store)


def _match_again(
    version: ModelVersion, transform: RecognitionTransform, rows: pa.Table, store: Store
) -> NDArray[np.float64]:
    from vultus.inference.encoder import OnnxEncoder

    encoder = OnnxEncoder(version.path / "model.onnx", transform)
    names = sorted({*rows["a"].to_pylist(), *rows["b"].to_pylist()})
    vectors: list[Scores] = []
    for start in range(0, len(names), _BATCH):
        chips = np.stack([decode_image(store.get(name)) for name in names[start : start + _BATCH]])
        vectors.append(encoder.encode(chips))
    table = np.concatenate(vectors)
    place = {name: index for index, name in enumerate(names)}
    a = table[[place[name] for name in rows["a"].to_pylist()]]
    b = table[[place[name] for name in rows["b"].to_pylist()]]
    return np.asarray((a * b).sum(1), np.float64)


def _judge_again(
    version: ModelVersion, transform: LivenessTransform, rows: pa.Table, store: Store
) -> NDArray[np.float64]:
    from vultus.inference.panel import PadPanel

    panel = PadPanel(version.path, transform)
    boxes = np.array(rows["box"].to_pylist(), np.float32)
    scores = np.full(len(boxes), np.nan)
    for index, (name, box) in enumerate(zip(rows["image"].to_pylist(), boxes, strict=True)):
        judged = panel.judge(decode_image(store.get(name)), box)
        if judged.score is not None:
            scores[index] = judged.score
    return scores
