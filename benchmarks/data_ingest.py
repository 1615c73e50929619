"""Is ingest about as fast as reading and hashing the same files, and does its memory stay flat?

Targets: >= 60 % of the rate of read + sha256 with as many processes; peak memory within 10 % between
10,000 and 200,000 pictures. Interleaved rounds, medians; every run is a process of its own. Ingest also
writes what it reads, and waits until it is on the disk: `disk_write_mb_per_s` says how fast that could
be, and processor time, which does not depend on the disk, is given beside the clock.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import say
from benchmarks.soak_ingest import draw_files, take

_FEW = 10_000


def main() -> None:
    """Draw files, then time; or, as a child, do one timed thing."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=40_000)
    options.add_argument("--many", type=int, default=200_000, help="for memory; 0 leaves it out")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--child", nargs=2, metavar=("WHAT", "FOLDER"))
    given = options.parse_args()
    if given.child:
        print(json.dumps(_once(given.child[0], Path(given.child[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        say(measure(Path(folder), given.files, given.many, given.rounds))


def measure(root: Path, files: int, many: int, rounds: int) -> dict[str, object]:
    """All figures, with an empty page cache and with all files in it (which favours the raw reader)."""
    source = draw_files(root / "source", files, seed=0)
    figures: dict[str, object] = {
        "files": files,
        "bytes_a_file": round(sum(f.stat().st_size for f in source.rglob("*.jpg")) / files),
        "processes": os.cpu_count(),
    }
    for state in ("from_disk", "from_memory"):
        if state == "from_disk" and not _forgets():
            figures[state] = "not measured: only root may empty the page cache"
            continue
        runs: dict[str, list[dict[str, float]]] = {"read": [], "ingest": []}
        for _ in range(rounds):
            for what, facts in runs.items():
                if state == "from_disk":
                    _forgets()
                facts.append(_child(what, root))
        figures[state] = _compared(runs, files)
    figures["disk_write_mb_per_s"] = _disk_write_mb_per_s(root / "ballast")
    return figures | (_memory(root, many) if many else {})


def _compared(runs: dict[str, list[dict[str, float]]], files: int) -> dict[str, float]:
    """Medians of both, and ingest as a share of reading and hashing."""
    middle = {
        (what, name): statistics.median(facts[name] for facts in each)
        for what, each in runs.items()
        for name in ("seconds", "cpu_seconds")
    }
    raw, ours = middle["read", "seconds"], middle["ingest", "seconds"]
    return {
        "read_and_sha256_per_s": round(files / raw),
        "ingest_per_s": round(files / ours),
        "ingest_of_raw": round(raw / ours, 3),
        "read_and_sha256_cpu_us": round(middle["read", "cpu_seconds"] / files * 1e6, 1),
        "ingest_cpu_us": round(middle["ingest", "cpu_seconds"] / files * 1e6, 1),
        "ingest_of_raw_in_cpu": round(
            middle["read", "cpu_seconds"] / middle["ingest", "cpu_seconds"], 3
        ),
    }


def _disk_write_mb_per_s(place: Path) -> int:
    """Of one long file, until it is on the disk."""
    block = os.urandom(16 << 20)
    began = time.monotonic()
    with place.open("wb", buffering=0) as stream:
        for _ in range(32):
            stream.write(block)
        os.fsync(stream.fileno())
    seconds = time.monotonic() - began
    place.unlink()
    return round(32 * len(block) / seconds / 1e6)


def _forgets() -> bool:
    """Empty the page cache: what is bigger than the memory is always read from disk."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def _memory(root: Path, many: int) -> dict[str, object]:
    """Peak memory of the biggest process, few and many files of the same (small) kind."""
    peaks = {}
    for count in (_FEW, many):
        shutil.rmtree(root / "source")
        stamp_files(root / "source", count)
        peaks[count] = _child("ingest", root)["peak_mb"]
    return {
        "peak_mb": peaks,
        "peak_growth": round(peaks[many] / peaks[_FEW] - 1, 3),
    }


def stamp_files(root: Path, files: int, *, side: int = 24, per_subject: int = 20) -> Path:
    """`files` JPEG files that differ in their comment alone: as many as one likes, at no cost.

    Source: ITU-T T.81, B.2.4.5 (COM: marker, length with itself, text).
    """
    drawn = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    picture = cv2.imencode(".jpg", drawn)[1].tobytes()
    for number in range(files):
        folder = root / f"subject-{number // per_subject:06d}"
        if number % per_subject == 0:
            folder.mkdir(parents=True)
        stamp = b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big")
        file = folder / f"{number % per_subject:03d}.jpg"
        file.write_bytes(picture[:2] + stamp + picture[2:])
    return root


def _child(what: str, root: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.data_ingest", "--child", what, str(root)],
        check=True,
        capture_output=True,
    )
    facts: dict[str, float] = json.loads(done.stdout)
    return facts


def _once(what: str, root: Path) -> dict[str, float]:
    source, home = root / "source", root / "home"
    if what == "read":
        files = sorted(source.rglob("*.jpg"))
        with multiprocessing.get_context("fork").Pool() as pool:
            began, used = time.monotonic(), _cpu_seconds()
            pool.map(_hash, files, chunksize=256)
            seconds = time.monotonic() - began
            pool.close()
            pool.join()
        return {"seconds": seconds, "cpu_seconds": _cpu_seconds() - used}
    shutil.rmtree(home, ignore_errors=True)
    began, used = time.monotonic(), _cpu_seconds()
    take(source, home, processes=os.cpu_count() or 1)
    seconds = time.monotonic() - began
    peaks = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    used = _cpu_seconds() - used
    return {"seconds": seconds, "cpu_seconds": used, "peak_mb": round(max(peaks) / 1024)}


def _cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
