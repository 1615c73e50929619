"""A folder of people as a user would have it, with everything that goes wrong in such folders."""

from pathlib import Path

from support.heads import rendered
from support.pictures import encoded, png_bomb
from vultus.faces.picture import encode_jpeg


def write_people(root: Path, people: int = 8, images: int = 3) -> Path:
    """`<root>/<subject>/<n>.jpg`, rendered."""
    for person in range(people):
        folder = root / f"person-{person}"
        folder.mkdir(parents=True, exist_ok=True)
        for image in range(images):
            (folder / f"{image}.jpg").write_bytes(encode_jpeg(rendered(person, image).image, 92))
    return root


def spoil(root: Path) -> dict[str, str]:
    """Add one file of every bad kind; returns file name -> the reason it must be refused for."""
    good = (root / "person-0" / "0.jpg").read_bytes()
    shared = encode_jpeg(rendered(0, 0, seed=77).image, 90)
    bad = {
        "person-0/zero.jpg": (b"", "bad_image"),
        "person-0/cut.jpg": (good[: len(good) // 2], "bad_image"),
        "person-0/letter.jpg": (b"Dear Sir or Madam", "bad_image"),
        "person-1/bomb.png": (png_bomb(), "bad_image"),
        "person-1/again.jpg": ((root / "person-1" / "0.jpg").read_bytes(), "duplicate"),
        "person-2/shared.jpg": (shared, "two_identities"),
        "person-3/shared.jpg": (shared, "two_identities"),
        "loner/only.jpg": (encoded(rendered(0, 0, seed=78).image), "lone_picture"),
    }
    for name, (data, _) in bad.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    return {name: reason for name, (_, reason) in bad.items()}
