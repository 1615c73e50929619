"""Does the exported network say what the torch one says? Asked on pictures that were evaluated."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch import nn

from vultus.contracts.arrays import Tensor
from vultus.contracts.models import Parity
from vultus.contracts.seams import Store
from vultus.contracts.transform import PanelMember, RecognitionTransform
from vultus.errors import NoTrials, VultusError
from vultus.inference.inputs import chip_inputs, crop_inputs
from vultus.inference.session import session_of
from vultus.networks.graph import INPUT


def evaluated_chips(
    trials: pa.Table, count: int, store: Store, transform: RecognitionTransform
) -> Tensor:
    """Chips of recognition trials as network input, float32 [N, 3, S, S].

    Raises: NoTrials, without a single trial.
    """
    names = sorted({*trials["a"].to_pylist(), *trials["b"].to_pylist()})
    return chip_inputs(_spread(names, count), store, transform)


def evaluated_crops(trials: pa.Table, count: int, store: Store, member: PanelMember) -> Tensor:
    """Crops of PAD trials as input of one member, float32 [N, 3K, S, S].

    Raises: NoTrials, without a single trial.
    """
    boxes = dict(zip(trials["image"].to_pylist(), trials["box"].to_pylist(), strict=True))
    names = _spread(sorted(boxes), count)
    return crop_inputs(names, [boxes[name] for name in names], store, member)


def measure(network: nn.Module, file: Path, inputs: Tensor, tolerance: float) -> Parity:
    """Compare; one by one and as a batch, so that a batch that leaks between rows is seen.

    Raises: VultusError, above the tolerance.
    """
    session = session_of(file)

    def exported(batch: Tensor) -> Tensor:
        return np.asarray(session.run(None, {INPUT: batch})[0], np.float32)

    with torch.inference_mode():
        expected = network(torch.from_numpy(inputs)).numpy()
    single = np.concatenate([exported(inputs[row : row + 1]) for row in range(len(inputs))])
    worst = max(_difference(expected, single), _difference(expected, exported(inputs)))
    cosine = None if expected.ndim == 1 else float((expected * single).sum(axis=1).min())
    if not worst <= tolerance:
        raise VultusError(
            f"{file.name} differs from the torch network by {worst:.2e} on {len(inputs)} evaluated "
            f"pictures, allowed is {tolerance:.0e}: it is not exported; check the versions of "
            "torch and onnxruntime, or raise export.tolerance knowingly"
        )
    return Parity(
        inputs=len(inputs), max_abs_difference=worst, min_cosine=cosine, tolerance=tolerance
    )


def _difference(expected: Tensor, got: Tensor) -> float:
    return float(np.abs(expected - got).max())


def _spread(names: list[str], count: int) -> list[str]:
    """At most `count`, evenly over the list."""
    if not names:
        raise NoTrials("the evaluation holds no trial, so the export cannot be compared; evaluate")
    places = np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int)
    return [names[place] for place in places]
