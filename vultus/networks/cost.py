"""What a network costs: parameters, and the arithmetic of one input."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """parameters: numbers that are trained; mflops: millions of operations for one input, a
    multiplication and its addition counted as two; element-wise work is not counted."""

    parameters: int
    mflops: float


def cost_of(network: nn.Module, example: Tensor) -> Cost:
    """Count one forward pass of a network in evaluation mode. Args: example: float32 [1, ...]."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(example)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters, counter.get_total_flops() / 1e6)
