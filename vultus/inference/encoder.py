"""An embedder as an ONNX session."""

from pathlib import Path

import numpy as np

from vultus.contracts.arrays import Embeddings, RgbBatch
from vultus.contracts.transform import RecognitionTransform
from vultus.errors import TransformMismatch
from vultus.faces.tensor import chip_tensor
from vultus.inference.session import session_of

_BATCH = 32
_SHORTEST = 1e-12


class OnnxEncoder:
    """An Encoder over `model.onnx` of an OnnxModel or ModelVersion; safe for several threads."""

    def __init__(self, file: Path, transform: RecognitionTransform, threads: int = 1) -> None:
        """Open the session. Raises: WeightsUnavailable; TransformMismatch, if shapes disagree."""
        self.transform = transform
        self._session = session_of(file, threads=threads)
        inlet = self._session.get_inputs()[0]
        self._inlet = inlet.name
        side = transform.tensor.side
        if list(inlet.shape[1:]) != [3, side, side]:
            raise TransformMismatch(
                f"{file.name} expects {inlet.shape}, its transform prepares [N, 3, {side}, {side}]; "
                "export the model again"
            )
        length = self._session.get_outputs()[0].shape[-1]
        if length != transform.dimension:
            raise TransformMismatch(
                f"{file.name} answers {length} numbers, its transform says {transform.dimension}; "
                "export the model again"
            )

    @property
    def dimension(self) -> int:
        """Length of an embedding."""
        return self.transform.dimension

    def encode(self, chips: RgbBatch) -> Embeddings:
        """uint8 RGB [N, 112, 112, 3] -> float32 [N, dimension], unit length; at most 32 at a time.

        Raises: TransformMismatch, for chips of another side.
        """
        found = np.empty((len(chips), self.dimension), np.float32)
        for start in range(0, len(chips), _BATCH):
            tensor = chip_tensor(chips[start : start + _BATCH], self.transform)
            found[start : start + _BATCH] = self._session.run(None, {self._inlet: tensor})[0]
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.maximum(lengths, _SHORTEST), np.float32)
