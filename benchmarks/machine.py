"""What a figure was measured on; printed beside every one."""

import json
import os
from pathlib import Path
from typing import Any

_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")


def machine() -> dict[str, Any]:
    """Processor, cores, and the instruction sets that decide the speed of a network."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    facts = {
        line.split(":")[0].strip(): line.split(":", 1)[1].strip() for line in lines if ":" in line
    }
    flags = set(facts.get("flags", "").split())
    return {
        "processor": facts.get("model name", "unknown"),
        "cores": os.cpu_count(),
        "flags": [flag for flag in _TELLING if flag in flags],
        "load_before": os.getloadavg()[0],
    }


def say(figures: dict[str, Any]) -> None:
    """The summary as JSON: the only thing on stdout."""
    print(json.dumps({"machine": machine(), **figures}, indent=2))


def weights_folder() -> Path:
    """Fetched files of this checkout."""
    return Path(os.environ.get("VULTUS_HOME", ".vultus")).absolute() / "weights"
