"""How a network is trained: its parameters, the learning rate, the optimiser, reproducibility."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils import deterministic

# cuBLAS sums in a fixed order only with a workspace of a fixed size, which it reads when it starts.
_CUBLAS = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
_memory: Any = deterministic  # its one attribute is made when it is asked for


@dataclass(frozen=True)
class FitParams:
    """How to train; all but `save_every_s`, `threads` and `device` decide the weights.

    Those two change the last bits: another order of summation.
    """

    epochs: int
    batch: int  # examples an update, over all processes and parts together
    lr: float
    weight_decay: float = 0.01
    warm_up: float = 0.1  # share of all steps
    clip: float = 1.0  # norm of the gradient, 0 = off
    ema: float = 0.0  # decay of the averaged weights, 0 = off
    patience: int = 0  # epochs without a better monitored metric before stopping, 0 = off
    accumulate: int = 1  # parts that a process works its share of a batch off in
    precision: str = "float32"  # of the forward pass: auto, float32, bfloat16, float16
    seed: int = 0
    threads: int = 1
    device: str = "cpu"  # auto, cpu, cuda, cuda:1
    save_every_s: float = 20.0


def learning_rate(step: int, total: int, params: FitParams) -> float:
    """Linear warm-up, then half a cosine down to zero. `step` counts from 0."""
    warm = max(1, round(params.warm_up * total))
    if step < warm:
        return params.lr * (step + 1) / warm
    return params.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def optimiser_for(network: nn.Module, params: FitParams) -> torch.optim.Optimizer:
    """AdamW; matrices and kernels decay, biases, norms and slopes do not."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": params.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=params.lr)


@contextmanager
def reproducible(params: FitParams) -> Iterator[None]:
    """Fixed seed, threads and algorithms; what the process had before comes back afterwards.

    On a GPU an operation that has no deterministic form warns, where on a processor it is an error.
    Memory that nobody wrote to is not filled first, as torch does beside deterministic algorithms: it
    only shows who reads such memory, and was 13 to 19 % of a step (measured: fourier, edge).
    """
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    filled = _memory.fill_uninitialized_memory
    on_gpu = params.device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        os.environ.setdefault(*_CUBLAS)
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else []):
        torch.manual_seed(params.seed)
        torch.set_num_threads(params.threads)
        torch.use_deterministic_algorithms(True, warn_only=on_gpu)
        _memory.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(strict)
            _memory.fill_uninitialized_memory = filled
