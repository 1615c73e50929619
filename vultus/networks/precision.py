"""Where a network is trained and in which arithmetic: device, autocast, loss scaling.

Weights and optimiser stay float32. In bfloat16 or float16 autocast runs the matrix products and
convolutions; float16 has so little range that its loss is scaled (Micikevicius et al., Mixed
Precision Training, ICLR 2018), bfloat16 has that of float32.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from vultus.errors import BadParameter

_TYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Arithmetic:
    """A device, and the type that autocast uses on it; None = float32 throughout."""

    device: torch.device
    dtype: torch.dtype | None

    def autocast(self) -> AbstractContextManager[None]:
        """For the forward pass and the loss."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not None)

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss in float16, and does nothing otherwise."""
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)


def arithmetic_of(device: str, precision: str, local_rank: int = 0) -> Arithmetic:
    """What the words mean on this machine.

    Args:
        device: auto (a GPU where there is one), cpu, cuda (the GPU of this process), cuda:1.
        precision: auto (bfloat16 or float16 on a GPU, float32 else), float32, bfloat16, float16.
        local_rank: number of this process on its machine.
    Raises: BadParameter, for another word or a GPU that is not there.
    """
    place = _device(device, local_rank)
    if precision == "auto":
        return Arithmetic(place, _best(place))
    if precision not in _TYPES:
        raise BadParameter(f"precision '{precision}': choose auto, {', '.join(_TYPES)}")
    return Arithmetic(place, _TYPES[precision])


def _device(wanted: str, local_rank: int) -> torch.device:
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device(wanted)
    except RuntimeError as error:
        raise BadParameter(f"device '{wanted}': choose auto, cpu, cuda or cuda:1") from error
    if place.type == "cpu":
        return place
    if place.type != "cuda":
        raise BadParameter(f"device '{wanted}': choose auto, cpu, cuda or cuda:1")
    index = local_rank if place.index is None else place.index
    if index >= torch.cuda.device_count():
        raise BadParameter(
            f"device '{wanted}' for process {local_rank}: torch sees {torch.cuda.device_count()} "
            "GPU(s); set VULTUS_DEVICE=cpu, or install a CUDA build of torch and its driver"
        )
    return torch.device("cuda", index)


def _best(device: torch.device) -> torch.dtype | None:
    if device.type != "cuda":
        return None
    # Emulated bfloat16 (before Ampere) is slower than float16, which those cards do in hardware.
    native = torch.cuda.get_device_capability(device)[0] >= 8
    return torch.bfloat16 if native else torch.float16
