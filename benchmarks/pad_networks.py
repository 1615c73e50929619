"""What each PAD network costs: parameters, MFLOPs, milliseconds as an exported file on one thread.

`--table` prints the rows of components/train/README.md alone, which need no clock.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import say
from components.train import TrainParams
from vultus.contracts.words import Task
from vultus.inference.session import session_of
from vultus.networks.cost import cost_of
from vultus.networks.graph import INPUT, write_onnx
from vultus.networks.pads.network import HybridPad
from vultus.networks.pads.spectrum import SPECTRA
from vultus.networks.pads.zoo import NO_FREQUENCY, ZOO, architecture_of, build_pad

_ROUNDS = 60
_DEFAULT = TrainParams(task=Task.LIVENESS)


def main() -> None:
    """Print the table, or the table's figures with the time of each network."""
    if sys.argv[1:] == ["--table"]:
        print("\n".join(table()))
        return
    example = _example(1)
    with tempfile.TemporaryDirectory() as folder:
        sessions = {}
        for name in ZOO:
            file = Path(folder) / f"{name}.onnx"
            write_onnx(_network(name, _DEFAULT.pad_frequency), _example(2), "logit", file)
            sessions[name] = session_of(file)
        spent: dict[str, list[float]] = {name: [] for name in sessions}
        pixels = example.numpy().astype(np.float32)
        for turn in range(_ROUNDS + 3):
            for name, session in sessions.items():
                began = time.process_time()
                session.run(None, {INPUT: pixels})
                if turn >= 3:
                    spent[name].append(1e3 * (time.process_time() - began))
    say(
        {
            "side": _DEFAULT.pad_side,
            "scales": len(_DEFAULT.pad_scales),
            "frequency": _DEFAULT.pad_frequency,
            "parameters": {name: _cost(name, _DEFAULT.pad_frequency)[0] for name in ZOO},
            "mflops": {name: _cost(name, _DEFAULT.pad_frequency)[1] for name in ZOO},
            "cpu_ms": {name: round(statistics.median(each), 2) for name, each in spent.items()},
            "rounds": _ROUNDS,
        }
    )


def table() -> list[str]:
    """Rows of a Markdown table: parameters and MFLOPs without a branch, and with each."""
    branches = (NO_FREQUENCY, *SPECTRA)
    rows = [
        "| pad_network | parameters | MFLOPs | "
        + " | ".join(f"with {branch}" for branch in SPECTRA)
        + " | ImageNet weights |",
        "|---|" + "---|" * (len(branches) + 2),
    ]
    for name, kind in ZOO.items():
        costs = [_cost(name, branch) for branch in branches]
        cells = [f"{costs[0][0] / 1e6:.2f} M", *(f"{mflops:.0f}" for _, mflops in costs)]
        rows.append(f"| {name} | {' | '.join(cells)} | {'yes' if kind.imagenet else 'no'} |")
    return rows


def _cost(name: str, frequency: str) -> tuple[int, float]:
    cost = cost_of(_network(name, frequency), _example(1))
    return cost.parameters, round(cost.mflops, 1)


def _network(name: str, frequency: str) -> HybridPad:
    scales = len(_DEFAULT.pad_scales)
    architecture = architecture_of(name, side=_DEFAULT.pad_side, scales=scales, frequency=frequency)
    return build_pad(architecture).eval()


def _example(count: int) -> torch.Tensor:
    return torch.zeros(count, 3 * len(_DEFAULT.pad_scales), _DEFAULT.pad_side, _DEFAULT.pad_side)


if __name__ == "__main__":
    main()
