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
    the bootstrap draws; slices: per trial the names of the slices it belongs to.
    """

    candidate: NDArray[np.float64]
    champion: NDArray[np.float64]
    positive: NDArray[np.bool_]
    groups: NDArray[np.int64]
    slices: list[list[str]]


def paired_scores(candidate: ModelVersion, champion: ModelVersion, store: Store) -> Paired:
    """Both versions on the candidate's test trials.

    Raises: BadArtifact, StorageUnavailable, if a picture is needed again and gone.
    """
    rows = _test_rows(candidate)
    same = _trials_of(candidate) == _trials_of(champion)
    theirs = _scores(_test_rows(champion)) if same else _score_again(champion, rows, store)
    first = "a" if candidate.task == "recognition" else "image"
    _, groups = np.unique(rows[first].to_numpy(zero_copy_only=False), return_inverse=True)
    positive = (
        rows["mated"].to_numpy(zero_copy_only=False)
        if candidate.task == "recognition"
        else rows["species"].is_null().to_numpy(zero_copy_only=False)
    )
    ours = _scores(rows)
    known = np.isfinite(ours) & np.isfinite(theirs)
    slices = [names or [] for names in rows["slices"].to_pylist()]
    return Paired(
        ours[known],
        theirs[known],
        positive.astype(bool)[known],
        groups.astype(np.int64)[known],
        [names for names, keep in zip(slices, known, strict=True) if keep],
    )


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
