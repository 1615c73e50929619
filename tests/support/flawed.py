"""A folder of rendered people with the faults that a dataset report must find."""

from pathlib import Path

import cv2

from support.heads import rendered
from vultus.contracts.arrays import RgbImage
from vultus.faces.picture import encode_jpeg

PEOPLE, PICTURES = 10, 5


def write_flawed(root: Path) -> Path:
    """`<root>/<subject>/<n>.jpg`: ten people with five pictures each, and six faults.

    person-1/stray.jpg shows person 2. person-9-again is person 9. person-4/copy.jpg is person-4/0.jpg,
    compressed again; person-5/borrowed.jpg is person-6/1.jpg, compressed again. person-3 has tiny
    faces. person-0/cut.jpg is cut short.
    """
    for person in range(PEOPLE):
        for number in range(PICTURES):
            image = rendered(person, number).image
            _write(root, person, str(number), _tiny(image) if person == 3 else image)
    _write(root, 1, "stray", rendered(2, 7).image)
    _write(root, 4, "copy", rendered(4, 0).image, quality=85)
    _write(root, 5, "borrowed", rendered(6, 1).image, quality=85)
    for number in range(PICTURES, PICTURES + 4):
        _write(root, "9-again", str(number), rendered(9, number).image)
    whole = (root / "person-0" / "0.jpg").read_bytes()
    (root / "person-0" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    return root


def _write(root: Path, person: int | str, name: str, image: RgbImage, quality: int = 92) -> None:
    folder = root / f"person-{person}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(encode_jpeg(image, quality))


def _tiny(image: RgbImage) -> RgbImage:
    """Half the size: about 18 pixels between the eyes."""
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
