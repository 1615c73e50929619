"""The edge recogniser against its teacher: time in ONNX Runtime on one thread, and real pairs.

Target: a quarter of SFace's time. Both are exported as the export step does and timed in turn on the
same chip, in processor time; the ratio is what to trust. With `--checkpoint` that network is also
compared on the real pairs beside the checkout; one is made by

    vultus step ingest … --set source=synthetic:people=1800,images=3
    vultus step crop … && vultus step train … --set network=edge --set teacher=sface
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.machine import say, weights_folder
from benchmarks.real_pairs import RealPairs
from vultus.contracts.models import Checkpoint
from vultus.contracts.transform import DetectorParams, RecognitionTransform
from vultus.inference.encoder import OnnxEncoder
from vultus.networks.adapter import UnitTrunk
from vultus.networks.embedders.catalogue import EMBEDDERS, build_embedder
from vultus.networks.embedders.embedder import UnitEmbedder
from vultus.networks.graph import write_onnx
from vultus.networks.load import TRUNKS, network_from
from vultus.weights import locate

_ROUNDS = 60
_WARM_UP = 3


def main() -> None:
    """Time, compare; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--checkpoint", type=Path, help="Checkpoint of network=edge")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        encoders = {
            "sface": exported(*_sface(), Path(folder) / "sface.onnx"),
            "edge": exported(*_edge(given.checkpoint), Path(folder) / "edge.onnx"),
            "mobilefacenet": exported(*_whole("mobilefacenet"), Path(folder) / "mobile.onnx"),
        }
        figures = _times(encoders)
        if given.checkpoint:
            pairs = RealPairs.load()
            figures["real_pairs"] = {
                name: pairs.figures(pairs.scores(encoders[name])) for name in ("sface", "edge")
            }
    say(figures)


def exported(network: nn.Module, transform: RecognitionTransform, file: Path) -> OnnxEncoder:
    """The network as the export step would write it."""
    side = transform.tensor.side
    write_onnx(network.eval(), torch.zeros(2, 3, side, side), "embedding", file)
    return OnnxEncoder(file, transform)


def _times(encoders: dict[str, OnnxEncoder]) -> dict[str, Any]:
    chip = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), np.uint8)
    spent: dict[str, list[float]] = {name: [] for name in encoders}
    for turn in range(_ROUNDS + _WARM_UP):
        for name, encoder in encoders.items():
            began = time.process_time()
            encoder.encode(chip)
            if turn >= _WARM_UP:
                spent[name].append(1e3 * (time.process_time() - began))
    ratios = {
        name: statistics.median(a / b for a, b in zip(spent["sface"], each, strict=True))
        for name, each in spent.items()
    }
    return {
        "cpu_ms_a_chip": {name: round(statistics.median(each), 2) for name, each in spent.items()},
        "times_as_fast_as_sface": {name: round(ratio, 2) for name, ratio in ratios.items()},
        "rounds": _ROUNDS,
        "target_met": ratios["edge"] >= 4,
    }


def _sface() -> tuple[nn.Module, RecognitionTransform]:
    packaged = TRUNKS["sface"]
    trunk = UnitTrunk(packaged.read(locate("sface", weights_folder())))
    return trunk, packaged.transform(DetectorParams())


def _edge(checkpoint: Path | None) -> tuple[nn.Module, RecognitionTransform]:
    if checkpoint is None:
        return _whole("edge")
    trained = Checkpoint.open(checkpoint)
    assert isinstance(trained.transform, RecognitionTransform)
    return network_from(trained), trained.transform


def _whole(name: str) -> tuple[nn.Module, RecognitionTransform]:
    """With random weights: good for its time alone."""
    whole = EMBEDDERS[name]
    network = build_embedder(name, {"dimension": whole.dimension, "side": whole.side})
    return UnitEmbedder(network), whole.transform(whole.dimension, whole.side, DetectorParams())


if __name__ == "__main__":
    main()
