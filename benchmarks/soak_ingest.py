"""Does a killed ingest end like an undisturbed one? kill -9 at random points of an ingest of many files.

Target: 20 kills in an ingest of 2,000 files; the last run's data version is exactly the undisturbed one.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from benchmarks.machine import say, weights_folder
from components.ingest import IngestParams, ingest_faces
from vultus.contracts.faces import RawFaces
from vultus.storage import FolderStore

KEY = b"k" * 32
_NOTHING_SIMULATED = {
    f"{name}_share": 0.0 for name in ("print", "replay", "mask", "recapture", "tight")
}


def main() -> None:
    """Make the files, ingest them twice, kill one of the two again and again."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=2000)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        say(killed_often(Path(folder), given.files, given.kills, given.seed))


def killed_often(root: Path, files: int, kills: int, seed: int) -> dict[str, object]:
    """The same source taken undisturbed, and with `kills` kills of the whole process group.

    Returns: both data versions, and how many pieces each kill found finished.
    """
    source = draw_files(root / "source", files, seed)
    take(source, root / "calm", processes=2)
    rng = random.Random(seed)
    finished: list[int] = []
    in_time = 0
    for _ in range(kills):
        child = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.soak_ingest_child",
                str(source),
                str(root / "killed"),
            ],
            start_new_session=True,
        )
        _wait(child, root / "killed", more=rng.randint(0, 2))
        time.sleep(rng.uniform(0, 0.05))
        in_time += child.poll() is None
        with suppress(ProcessLookupError):  # it ended first
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        finished.append(_finished(root / "killed"))
    take(source, root / "killed", processes=2)
    calm, killed = (RawFaces.open(root / name / "raw") for name in ("calm", "killed"))
    store = FolderStore(root / "killed" / "store")
    held = sum(bool(store.get(digest)) for digest in killed.faces["image_sha256"].to_pylist())
    return {
        "files": files,
        "kills": kills,
        "kills_before_the_end": in_time,
        "same_data_version": calm.digest == killed.digest,
        "digest": calm.digest,
        "rows": len(calm.faces),
        "pictures_read_back": held,
        "pieces_finished_at_each_kill": finished,
    }


def _finished(home: Path) -> int:
    """Pieces in the journal."""
    return len(list((home / "ingest").glob("*/part-*")))


def _wait(child: subprocess.Popen[bytes], home: Path, more: int) -> None:
    """Until the child has begun its work and finished so many more pieces, or has ended."""
    before = _finished(home)
    while child.poll() is None:
        begun = any((home / "ingest").glob("*/lock"))
        if begun and _finished(home) >= before + more:
            return
        time.sleep(0.001)


def draw_files(
    root: Path, files: int, seed: int, *, side: int = 224, per_subject: int = 20
) -> Path:
    """`files` small JPEG files in subject folders; patterns, not faces: ingest looks at no pixel."""
    rng = np.random.default_rng(seed)
    for number in range(files):
        folder = root / f"subject-{number // per_subject:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        image = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
        noisy = cv2.add(image, rng.integers(0, 20, image.shape, dtype=np.uint8))
        cv2.imwrite(str(folder / f"{number % per_subject:03d}.jpg"), noisy)
    return root


def take(source: Path, home: Path, *, processes: int) -> None:
    """One ingest without simulated presentations; the artifact is `home`/raw."""
    ingest_faces(
        home / "raw",
        IngestParams.model_validate({"source": str(source), **_NOTHING_SIMULATED}),
        store=FolderStore(home / "store"),
        pseudonym_key=KEY,
        weights=weights_folder(),
        journals=home / "ingest",
        processes=processes,
    )


if __name__ == "__main__":
    main()
