"""How fast is each packaged recogniser, from the aligned chip to the embedding, on one thread?

Both are exported as the export step does, untouched, and timed in turn on the same chips, so that
whatever else the machine does falls on both; the ratio is what to trust.
"""

import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import say, weights_folder
from vultus.contracts.transform import DetectorParams
from vultus.inference.encoder import OnnxEncoder
from vultus.networks.adapter import UnitTrunk
from vultus.networks.graph import write_onnx
from vultus.networks.load import TRUNKS
from vultus.weights import locate

_ROUNDS = 60


def main() -> None:
    """Print the median milliseconds a chip of each, and the ratio to SFace."""
    chip = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        encoders = {name: _exported(name, Path(folder)) for name in TRUNKS}
        spent: dict[str, list[float]] = {name: [] for name in encoders}
        for turn in range(_ROUNDS + 3):
            for name, encoder in encoders.items():
                began = time.process_time()
                encoder.encode(chip)
                if turn >= 3:
                    spent[name].append(1e3 * (time.process_time() - began))
    medians = {name: round(statistics.median(each), 2) for name, each in spent.items()}
    ratios = {
        name: round(statistics.median(a / b for a, b in zip(spent["sface"], each, strict=True)), 2)
        for name, each in spent.items()
    }
    say({"cpu_ms_a_chip": medians, "times_as_fast_as_sface": ratios, "rounds": _ROUNDS})


def _exported(name: str, folder: Path) -> OnnxEncoder:
    packaged = TRUNKS[name]
    network = UnitTrunk(packaged.read(locate(name, weights_folder()))).eval()
    example = torch.zeros(2, 3, packaged.side, packaged.side)
    write_onnx(network, example, "embedding", folder / f"{name}.onnx")
    return OnnxEncoder(folder / f"{name}.onnx", packaged.transform(DetectorParams()))


if __name__ == "__main__":
    main()
