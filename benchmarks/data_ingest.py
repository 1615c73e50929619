"""Is ingest about as fast as reading and hashing the same files, and does its memory stay flat?

Targets: >= 60 % of the rate of read + sha256 with as many processes; peak memory within 10 % between
10,000 and 200,000 pictures. Beside it, as a second figure: ingest against the loop that everybody would
write, in one process. Interleaved rounds, medians; every run is a process of its own. Ingest also
writes what it reads, and waits until it is on the disk: `disk_write_mb_per_s` says how fast that could
be, and processor time, which does not depend on the disk, is given beside the clock.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.ingest_child import timed
from benchmarks.machine import say
from benchmarks.soak_ingest import draw_files

_FEW = 10_000
_SIDES = {12: 155, 24: 224, 100: 466, 250: 741}
"""kB of a file: pixels of its side."""
Runs = dict[str, list[dict[str, float]]]


def main() -> None:
    """Draw files, then time."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=40_000, help="of 24 kB")
    options.add_argument("--sizes", type=int, nargs="+", choices=_SIDES, default=[24], help="kB")
    options.add_argument("--many", type=int, default=200_000, help="for memory; 0 leaves it out")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--before", type=Path, help="another checkout, timed in the same rounds")
    given = options.parse_args()
    checkouts = {"ingest": Path.cwd()}
    if given.before:
        checkouts["before"] = given.before.absolute()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        say(
            {f"{size}_kb": measure(root, size, given, checkouts) for size in given.sizes}
            | (_memory(root, given.many) if given.many else {})
        )


def measure(
    root: Path, size: int, given: argparse.Namespace, checkouts: dict[str, Path]
) -> dict[str, object]:
    """All figures of one size, with an empty page cache and with all files in it (which favours the
    raw reader). Of large files there are fewer: at most twice the bytes of those of 24 kB."""
    files = min(given.files, given.files * 24 * 2 // size)
    shutil.rmtree(root / "source", ignore_errors=True)
    source = draw_files(root / "source", files, seed=0, side=_SIDES[size])
    figures: dict[str, object] = {
        "files": files,
        "bytes_a_file": round(sum(f.stat().st_size for f in source.rglob("*.jpg")) / files),
        "processes": os.cpu_count(),
    }
    for state in ("from_disk", "from_memory"):
        if state == "from_disk" and not _forgets():
            figures[state] = "not measured: only root may empty the page cache"
            continue
        runs: Runs = {name: [] for name in ("read", "plain", *checkouts)}
        for _ in range(given.rounds):
            for name, facts in runs.items():
                if state == "from_disk":
                    _forgets()
                what = "ingest" if name in checkouts else name
                facts.append(timed(what, root, checkouts.get(name, Path.cwd())))
        figures[state] = _compared(runs, files)
    figures["disk_write_mb_per_s"] = _disk_write_mb_per_s(root / "ballast")
    return figures


def _compared(runs: Runs, files: int) -> dict[str, object]:
    """Medians of all, and each as a share of reading and hashing (`of_read`: as many processes;
    `of_plain`: one loop; by the clock, and in processor time)."""
    middle = {
        name: {key: statistics.median(run[key] for run in each) for key in each[0]}
        for name, each in runs.items()
    }
    return {
        name: {
            "per_s": round(files / ours["seconds"]),
            "cpu_us": round(ours["cpu_seconds"] / files * 1e6, 1),
            "of_read": round(middle["read"]["seconds"] / ours["seconds"], 3),
            "of_read_in_cpu": round(middle["read"]["cpu_seconds"] / ours["cpu_seconds"], 3),
            "of_plain": round(middle["plain"]["seconds"] / ours["seconds"], 3),
        }
        for name, ours in middle.items()
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
        shutil.rmtree(root / "source", ignore_errors=True)
        stamp_files(root / "source", count)
        peaks[count] = timed("ingest", root, Path.cwd())["peak_mb"]
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


if __name__ == "__main__":
    main()
