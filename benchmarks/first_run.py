"""The newcomer's two runs: time, and memory of the whole tree of processes.

Targets on two cores, without installation: first run <= 6 min and <= 4 GB; unchanged second <= 30 s.
The weights folder of this checkout is used, everything else begins empty.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.machine import say, weights_folder

_EVERY_S = 0.2


def main() -> None:
    """Run `vultus run` twice in a new home; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("words", nargs="*", help="more words for `vultus run`")
    words = options.parse_args().words
    with tempfile.TemporaryDirectory(prefix="vultus-bench-") as place:
        home = Path(place) / "home"
        home.mkdir()
        (home / "weights").symlink_to(weights_folder())
        first, second = (_watched(["run", *words], home) for _ in range(2))
    say({"first": first, "second": second, "words": words})


def _watched(words: list[str], home: Path) -> dict[str, float | int]:
    """Seconds, peak of the summed RSS of all processes (shared pages count twice), exit code."""
    command = [sys.executable, "-c", "from pipelines.cli import app; app()", *words]
    environment = {**os.environ, "VULTUS_HOME": str(home)}
    began, peak = time.monotonic(), 0
    with subprocess.Popen(command, env=environment, stdout=sys.stderr) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(root))
            time.sleep(_EVERY_S)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "peak_rss_gb": round(peak / 1e9, 2),
        "exit_code": process.returncode,
    }


def _resident(root: psutil.Process) -> int:
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
