"""facenet-pytorch's MTCNN as its README uses it; started by benchmarks.data_crop, knows no vultus.

Reads one JSON question a line: {"task": "run", "min_face_size": 20, "threads": 2} answers seconds
on the clock and of processor time, {"task": "landmarks", "cut": 0} all landmarks of every picture
without its first `cut` rows and columns.
"""

import json
import sys
import time
from pathlib import Path

TARGET, LISTED, PLACE = sys.argv[1:4]
sys.path.insert(0, TARGET)

import torch  # noqa: E402
from facenet_pytorch import MTCNN  # noqa: E402
from PIL import Image  # noqa: E402


def main() -> None:
    """Answer until the questions end."""
    torch.set_num_threads(1)
    files = [Path(name) for name in json.loads(Path(LISTED).read_text())]
    place = Path(PLACE) / "theirs"
    detectors = {smallest: MTCNN(min_face_size=smallest) for smallest in (20, 40)}
    for detector in detectors.values():  # the first pictures pay for torch's own preparations
        run(detector, files[:3], place)
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["task"] == "run":
            torch.set_num_threads(asked["threads"])
            began, spent = time.monotonic(), time.process_time()
            run(detectors[asked["min_face_size"]], files, place)
            taken = time.monotonic() - began, time.process_time() - spent
            torch.set_num_threads(1)
            print(json.dumps(taken), flush=True)
        else:
            found = [landmarks(detectors[20], file, asked["cut"]) for file in files]
            print(json.dumps(found), flush=True)


def run(detector: MTCNN, files: list[Path], place: Path) -> None:
    """The README's two lines for every picture: open, cut and save."""
    for file in files:
        image = Image.open(file).convert("RGB")
        detector(image, save_path=str(place / f"{file.parent.name}-{file.name}"))


def landmarks(detector: MTCNN, file: Path, cut: int) -> list[list[list[float]]]:
    """[faces][5][x, y], pixels of the whole picture."""
    image = Image.open(file).convert("RGB")
    image = image.crop((cut, cut, *image.size))
    points = detector.detect(image, landmarks=True)[2]
    return [] if points is None else [(one + cut).tolist() for one in points]


if __name__ == "__main__":
    main()
