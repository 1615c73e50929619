"""Several processes that train one network: who am I, and what do the others say.

Without `torch.distributed` there is one process, and everything here is free of charge.
"""

import io
import json
from typing import Any

import torch
from torch import Tensor, distributed


def size() -> int:
    """Processes that take part."""
    return distributed.get_world_size() if _joined() else 1


def rank() -> int:
    """The number of this one; 0 validates, tracks and writes."""
    return distributed.get_rank() if _joined() else 0


def local_rank() -> int:
    """The number of this one on its machine."""
    return distributed.get_node_local_rank(fallback_rank=0) if _joined() else 0


def total(value: float, device: torch.device) -> float:
    """The sum over all processes, the same number in each."""
    if size() == 1:
        return value
    summed = torch.tensor(value, dtype=torch.float64, device=device)
    distributed.all_reduce(summed)
    return float(summed)


def shared_figures(figures: dict[str, float], device: torch.device) -> dict[str, float]:
    """The figures of process 0, in every process."""
    if size() == 1:
        return figures
    told: dict[str, float] = json.loads(_shared(json.dumps(figures).encode(), device))
    return told


def shared_state(state: dict[str, Any] | None, device: torch.device) -> dict[str, Any] | None:
    """The training state of process 0, in every process; read as data, like the file it is from."""
    if size() == 1:
        return state
    stream = io.BytesIO()
    if state is not None:
        torch.save(state, stream)
    data = _shared(stream.getvalue(), device)
    if not data:
        return None
    told: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return told


def share_weights(weights: dict[str, Tensor]) -> None:
    """Overwrite the tensors in place by those of process 0."""
    if size() > 1:
        for name in sorted(weights):
            distributed.broadcast(weights[name], 0)


def _shared(data: bytes, device: torch.device) -> bytes:
    length = torch.tensor(len(data), device=device)
    distributed.broadcast(length, 0)
    content = torch.zeros(int(length), dtype=torch.uint8, device=device)
    if rank() == 0 and data:
        content.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
    if len(content):
        distributed.broadcast(content, 0)
    return content.cpu().numpy().tobytes()


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
