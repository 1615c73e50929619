"""How long a newcomer waits for `vultus --help`: wall seconds of the whole process. Target < 0.5."""

import subprocess
import sys
import time
from statistics import median

from benchmarks.machine import say

_RUNS = 7


def main() -> None:
    """Time it after one warm-up; print one JSON summary."""
    command = [sys.executable, "-c", "from pipelines.cli import app; app()", "--help"]
    seconds = []
    for _ in range(_RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - began)
    counted = sorted(seconds[1:])
    say({"help_s": {"median": round(median(counted), 3), "min": round(counted[0], 3)}})


if __name__ == "__main__":
    main()
