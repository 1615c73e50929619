"""One timed thing over the files of a folder, with the processor time of all processes it began.

`read`: open, read, sha256 in as many processes as ingest has; `plain`: the same in one loop, as
everybody would write it; `ingest`: the step. A server of workers is nobody's waited-for child, so the
process above the measured one adopts what it leaves (PR_SET_CHILD_SUBREAPER) and waits for all of it.
"""

import ctypes
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

_SUBREAPER = 36
_MEGABYTE_KB = 1024


def timed(what: str, root: Path, checkout: Path) -> dict[str, float]:
    """Run one of the three over `root`/source, from the code of a checkout.

    Returns: `seconds`; `cpu_seconds`, from the first file to the end of the last process; `peak_mb` of
    the largest process.
    """
    done = subprocess.run(
        [sys.executable, __file__, "adopt", what, str(root)],
        check=True,
        stdout=subprocess.PIPE,
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
    )
    facts: dict[str, float] = json.loads(done.stdout)
    return facts


def _adopt(what: str, root: str) -> dict[str, float]:
    """Run the measured process and wait for everything that it began."""
    if ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise OSError("this system has no PR_SET_CHILD_SUBREAPER; the benchmark needs Linux")
    done = subprocess.run(
        [sys.executable, __file__, "once", what, root], check=True, stdout=subprocess.PIPE
    )
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    facts: dict[str, float] = json.loads(done.stdout)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - facts["cpu_before"]
    peak = round(used.ru_maxrss / _MEGABYTE_KB)
    return {"seconds": facts["seconds"], "cpu_seconds": cpu, "peak_mb": peak}


def _once(what: str, root: Path) -> dict[str, float]:
    source, home = root / "source", root / "home"
    if what == "ingest":
        from benchmarks.soak_ingest import take

        shutil.rmtree(home, ignore_errors=True)
        before, began = sum(os.times()[:4]), time.monotonic()
        take(source, home, processes=os.cpu_count() or 1)
        return {"cpu_before": before, "seconds": time.monotonic() - began}
    files = sorted(source.rglob("*.jpg"))
    if what == "plain":
        before, began = sum(os.times()[:4]), time.monotonic()
        for file in files:
            _hash(file)
        return {"cpu_before": before, "seconds": time.monotonic() - began}
    with multiprocessing.get_context("fork").Pool() as pool:
        before, began = sum(os.times()[:4]), time.monotonic()
        pool.map(_hash, files, chunksize=256)
        seconds = time.monotonic() - began
        pool.close()
        pool.join()
    return {"cpu_before": before, "seconds": seconds}


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    what, root = sys.argv[2:]
    print(json.dumps(_adopt(what, root) if sys.argv[1] == "adopt" else _once(what, Path(root))))
