"""The networks of a version, run by the gate itself on the pictures of its trials."""

from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.contracts.transform import LivenessTransform, RecognitionTransform
from vultus.faces.picture import decode_image

_BATCH = 64
Values = NDArray[np.float64]


class Rescorer(Protocol):
    """Scores rows of trials again, float64 [N]; NaN where the model has nothing to say."""

    def __call__(self, rows: pa.Table) -> Values:
        """Rows of RECOGNITION_TRIALS or PAD_TRIALS."""


def rescorer_of(
    version: ModelVersion,
    store: Store,
    transform: RecognitionTransform | LivenessTransform | None = None,
) -> Rescorer:
    """Run the version's own networks.

    Args: transform: another preparation than the version's own, to ask what that would give.
    Raises: WeightsUnavailable, TransformMismatch; on use BadArtifact, StorageUnavailable.
    """
    used = transform or version.transform
    if isinstance(used, RecognitionTransform):
        return _Matcher(version, used, store)
    return _Panel(version, used, store)


class _Matcher:
    def __init__(
        self, version: ModelVersion, transform: RecognitionTransform, store: Store
    ) -> None:
        from vultus.inference.encoder import OnnxEncoder

        self._encoder = OnnxEncoder(version.path / "model.onnx", transform)
        self._store = store

    def __call__(self, rows: pa.Table) -> Values:
        firsts, seconds = rows["a"].to_pylist(), rows["b"].to_pylist()
        names = sorted({*firsts, *seconds})
        vectors = []
        for start in range(0, len(names), _BATCH):
            part = names[start : start + _BATCH]
            chips = np.stack([decode_image(self._store.get(name)) for name in part])
            vectors.append(self._encoder.encode(chips))
        table = np.concatenate(vectors)
        place = {name: index for index, name in enumerate(names)}
        a = table[[place[name] for name in firsts]]
        b = table[[place[name] for name in seconds]]
        return np.asarray((a * b).sum(1), np.float64)


class _Panel:
    def __init__(self, version: ModelVersion, transform: LivenessTransform, store: Store) -> None:
        from vultus.inference.panel import PadPanel

        self._panel = PadPanel(version.path, transform)
        self._store = store

    def __call__(self, rows: pa.Table) -> Values:
        boxes = np.array(rows["box"].to_pylist(), np.float32).reshape(-1, 4)
        scores = np.full(len(boxes), np.nan)
        for index, (name, box) in enumerate(zip(rows["image"].to_pylist(), boxes, strict=True)):
            judged = self._panel.judge(decode_image(self._store.get(name)), box)
            if judged.score is not None:
                scores[index] = judged.score
        return scores
