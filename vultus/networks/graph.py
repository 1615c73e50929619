"""A torch network as one ONNX file: any batch, input "data", weights inside."""

import copy
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from vultus.errors import VultusError

INPUT = "data"
OPSET = 18


def write_onnx(network: nn.Module, example: Tensor, output: str, file: Path) -> None:
    """Export with dynamic batch size and check the file.

    Args:
        network: in evaluation mode; example: float32 [N ≥ 2, ...], fixes everything but N.
        output: name of the one output.
    Raises: VultusError, if the exporter cannot express the network.
    """
    ready = without_prelu(network).to(memory_format=torch.contiguous_format)
    try:
        with warnings.catch_warnings():
            # The exporter warns of its own internals; what counts is the parity afterwards.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                ready,
                (example,),
                str(file),
                input_names=[INPUT],
                output_names=[output],
                opset_version=OPSET,
                dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise VultusError(
            f"{type(network).__name__} cannot be written as ONNX: {error}; "
            "this is a defect of the network's code, not of its data"
        ) from error
    onnx.checker.check_model(onnx.load(file))


def without_prelu(network: nn.Module) -> nn.Module:
    """A copy in which each PReLU is a·x + (1 − a)·relu(x), as two depthwise convolutions.

    Exact but for rounding, and in ONNX Runtime twice as fast for an embedder full of them: a PRelu
    node breaks the blocked layout of the convolutions around it.
    """
    network = copy.deepcopy(network)
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.PReLU):
                setattr(parent, name, _TwoSlopes(child.weight.detach()))
    return network.eval()


class _TwoSlopes(nn.Module):
    def __init__(self, slopes: Tensor) -> None:
        super().__init__()
        self.straight = _depthwise(slopes)
        self.bent = _depthwise(1 - slopes)

    def forward(self, features: Tensor) -> Tensor:
        out: Tensor = self.straight(features) + self.bent(torch.relu(features))
        return out


def _depthwise(factors: Tensor) -> nn.Conv2d:
    count = len(factors)
    layer = nn.Conv2d(count, count, 1, groups=count, bias=False).requires_grad_(False)
    layer.weight.copy_(factors.view(count, 1, 1, 1))
    return layer
