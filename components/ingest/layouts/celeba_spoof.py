"""`celeba-spoof:/folder`: the CelebA-Spoof set, as published.

    Data/{train,test}/<subject>/{live,spoof}/<number>.{jpg,png}      (<number>_BB.txt beside: face box)
    metas/intra_test/{train,test}_label.json     {"Data/train/1/live/000184.jpg": [44 integers], …}
        0-39  CelebA's face attributes
        40    0 live; 1 photo, 2 poster, 3 A4; 4 face, 5 upper body, 6 region mask (cut paper);
              7 PC, 8 pad, 9 phone; 10 3D mask
        41    light: 0 live, 1 normal, 2 strong, 3 back, 4 dark
        42    place: 0 live, 1 indoor, 2 outdoor
        43    0 live, 1 spoof

Source: Zhang et al., CelebA-Spoof: large-scale face anti-spoofing dataset with rich annotations,
ECCV 2020, and the set's own README.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from components.ingest.files import fingerprint_of
from components.ingest.source import Item, Refused
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource

_INSTRUMENTS: tuple[tuple[Species | None, str], ...] = (
    (None, ""),
    (Species.PRINT, "photo"),
    (Species.PRINT, "poster"),
    (Species.PRINT, "A4"),
    (Species.MASK, "face mask (paper)"),
    (Species.MASK, "upper body mask (paper)"),
    (Species.MASK, "region mask (paper)"),
    (Species.REPLAY, "PC"),
    (Species.REPLAY, "pad"),
    (Species.REPLAY, "phone"),
    (Species.MASK, "3D mask"),
)
_LIGHT = ("", "normal", "strong", "back", "dark")
_PLACE = ("", "indoor", "outdoor")
_FACE = {15: "glasses", 35: "hat", 39: "young"}
_SEX = 20
_NUMBERS = 44
_ENTRY = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*:\s*\[([^\][]*)\]\s*(,|\})')
_CHUNK = 1 << 20


def celeba_spoof(root: Path, protocol: str | None) -> Iterator[Item | Refused]:
    """Every picture of `metas/intra_test`, or of another folder below `metas`, in the lists' order."""
    for part in ("train", "test"):
        for origin, numbers in _labels(root / "metas" / (protocol or "intra_test"), part):
            yield _labelled(root, origin, numbers)


def _labelled(root: Path, origin: str, numbers: str) -> Item | Refused:
    parts = PurePosixPath(origin).parts
    try:
        values = [int(number) for number in numbers.split(",")]
        below_data = len(parts) == 5 and parts[0] == "Data" and ".." not in parts
        if len(values) != _NUMBERS or not below_data or min(values[40:]) < 0:
            raise ValueError(f"not {_NUMBERS} integers for Data/<split>/<subject>/<class>/<file>")
        species, instrument = _INSTRUMENTS[values[40]]
        facts = {"instrument": instrument, "light": _LIGHT[values[41]], "place": _PLACE[values[42]]}
    except (ValueError, IndexError) as error:
        return Refused(origin, "bad_row", f"its label cannot be read: {error}")
    if {species is not None, bool(values[43]), parts[3] == "spoof"} not in ({True}, {False}):
        return Refused(origin, "bad_row", "spoof type, label and folder do not agree")
    try:
        fingerprint = fingerprint_of((root / origin).stat())
    except OSError as error:
        return Refused(origin, "unreadable", f"the list names it: {error.strerror}")
    facts |= {name: "yes" if values[at] > 0 else "no" for at, name in _FACE.items()}
    facts |= {"sex": "male" if values[_SEX] > 0 else "female", "official_split": parts[1]}
    return Item(
        origin,
        f"celeba-spoof-{parts[2]}",
        Presentation.BONA_FIDE if species is None else Presentation.ATTACK,
        species,
        {name: value for name, value in facts.items() if value},
        fingerprint=fingerprint,
    )


def _labels(folder: Path, part: str) -> Iterator[tuple[str, str]]:
    """(path, its numbers as text), read in pieces: the training list has 494,405 entries.

    Raises: BadSource, if the file is not one flat object of integer lists, whole.
    """
    file = folder / f"{part}_label.json"
    try:
        with file.open(encoding="utf-8") as stream:
            held = stream.read(_CHUNK).lstrip()
            if not held.startswith("{"):
                raise ValueError("it does not begin with {")
            held, place, end = held[1:], 0, ""
            while end != "}":
                if said := _ENTRY.match(held, place):
                    place, end = said.end(), said[3]
                    yield json.loads(said[1]), said[2]
                elif more := stream.read(_CHUNK):
                    held, place = held[place:] + more, 0
                else:
                    raise ValueError(f"it is cut short or wrong at '{held[place : place + 40]}'")
    except (OSError, ValueError) as error:
        raise BadSource(f"{file} cannot be read as CelebA-Spoof's labels: {error}") from error
