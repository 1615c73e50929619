"""What a training ran on: versions of what computes, and the processor's telling flags."""

import os
import platform
from pathlib import Path

import numpy as np
import torch

_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16")


def environment() -> dict[str, object]:
    """Facts by name, ready to be logged."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "cuda": torch.version.cuda or "none",
        "gpu": gpu,
        "cores": os.cpu_count() or 1,
        "processor_flags": " ".join(_flags()) or "unknown",
        "capability": torch.backends.cpu.get_cpu_capability(),
    }


def _flags() -> list[str]:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return []
    known = set(next((line for line in text.splitlines() if line.startswith("flags")), "").split())
    return [flag for flag in _TELLING if flag in known]
