"""What each PAD network costs, from its ONNX file: the rows of components/train/README.md.

Parameters are counted as they are served: norms folded into the convolutions before them.
"""

import tempfile
from pathlib import Path

import torch

from components.train import TrainParams
from vultus.contracts.words import Task
from vultus.networks.graph import write_onnx
from vultus.networks.pads.spectrum import SPECTRA
from vultus.networks.pads.zoo import NO_FREQUENCY, ZOO, architecture_of, build_pad
from vultus.networks.work import Work, work_of

_DEFAULT = TrainParams(task=Task.LIVENESS)


def main() -> None:
    """Print the table."""
    print("\n".join(table()))


def table() -> list[str]:
    """Rows of a Markdown table: each network without a branch, then what a branch adds to any."""
    rows = [
        "| pad_network | parameters | MFLOPs | ImageNet weights |",
        "|---|---|---|---|",
    ]
    for name, kind in ZOO.items():
        work = cost(name, NO_FREQUENCY)
        rows.append(f"| {name} | {_cells(work)} | {'yes' if kind.imagenet else 'no'} |")
    plain = cost("compact", NO_FREQUENCY)
    for branch in SPECTRA:
        joined = cost("compact", branch)
        added = Work(joined.parameters - plain.parameters, joined.flops - plain.flops)
        rows.append(f"| + `pad_frequency={branch}` | {_cells(added)} | |")
    return rows


def cost(name: str, frequency: str) -> Work:
    """Of one presentation at the default side and scales."""
    side, scales = _DEFAULT.pad_side, len(_DEFAULT.pad_scales)
    network = build_pad(architecture_of(name, side=side, scales=scales, frequency=frequency))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "network.onnx"
        write_onnx(network.eval(), torch.zeros(2, 3 * scales, side, side), "logit", file)
        return work_of(file)


def _cells(work: Work) -> str:
    return f"{work.parameters / 1e6:.2f} M | {work.flops / 1e6:.0f}"


if __name__ == "__main__":
    main()
