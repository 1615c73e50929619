"""`oulu-npu:/folder`: the OULU-NPU set, as published.

    {Train,Dev,Test}_files/…/<phone>_<session>_<user>_<file>.avi     (eye positions beside, .txt)
    Protocols/Protocol_{1,2}/{Train,Dev,Test}.txt, Protocol_{3,4}/{Train,Dev,Test}_{1…6}.txt
        +1, 1_1_36_1          bona fide
        -1, 1_1_36_2          attack; in the test lists -1 is a print and -2 a replay

Source: Boulkenafet et al., OULU-NPU: a mobile face presentation attack database with real-world
variations, FG 2017, and the set's own README.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from components.ingest.files import Listed, walk
from components.ingest.source import Item, Refused
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource

_NAME = re.compile(r"([1-6])_([1-3])_(\d{1,2})_([1-5])")
_PHONES = (
    "Samsung Galaxy S6 edge",
    "HTC Desire EYE",
    "MEIZU X5",
    "ASUS Zenfone Selfie",
    "Sony XPERIA C5 Ultra Dual",
    "OPPO N3",
)
_FILES: tuple[tuple[Species | None, str], ...] = (
    (None, ""),
    (Species.PRINT, "printer 1"),
    (Species.PRINT, "printer 2"),
    (Species.REPLAY, "display 1"),
    (Species.REPLAY, "display 2"),
)
_LAST_USERS = ((20, "train"), (35, "dev"), (55, "test"))
_LISTS = {"Train": "train", "Dev": "dev", "Test": "test"}


def oulu_npu(root: Path, protocol: str | None) -> Iterator[Item | Refused]:
    """Every video, or those of one protocol: `1`, `2`, `3/1` … `4/6` (protocol/fold)."""
    listed = None if protocol is None else _protocol(root, protocol)
    seen = set()
    for entry in walk(root):
        if isinstance(entry, Refused):
            yield entry
            continue
        stem = entry.name.rsplit(".", 1)[0]
        if listed is None:
            yield _labelled(entry, stem)
        elif stem in listed:
            seen.add(stem)
            yield _labelled(entry, stem, *listed[stem])
    for stem in sorted(set(listed or ()) - seen):
        yield Refused(stem, "unreadable", f"the protocol lists it, but it is not below {root}")


def _labelled(entry: Listed, stem: str, split: str = "", label: str = "") -> Item | Refused:
    said = _NAME.fullmatch(stem)
    if said is None or not 1 <= int(said[3]) <= 55:
        return Refused(entry.origin, "bad_row", "the name is not <phone>_<session>_<user>_<file>")
    phone, session, user, file = (int(part) for part in said.groups())
    species, instrument = _FILES[file - 1]
    if label and not _agree(label, species):
        return Refused(entry.origin, "bad_row", f"the protocol says {label}, the name otherwise")
    facts = {"device": _PHONES[phone - 1], "session": str(session), "instrument": instrument}
    facts["official_split"] = split or next(name for last, name in _LAST_USERS if user <= last)
    return Item(
        entry.origin,
        f"oulu-npu-user{user:02d}",
        Presentation.BONA_FIDE if species is None else Presentation.ATTACK,
        species,
        {name: value for name, value in facts.items() if value},
        fingerprint=entry.fingerprint,
    )


def _agree(label: str, species: Species | None) -> bool:
    """Whether a list's +1, -1 or -2 fits what the name says; training lists know -1 alone."""
    if species is None:
        return label == "+1"
    return label == "-1" or (label == "-2" and species is Species.REPLAY)


def _protocol(root: Path, name: str) -> dict[str, tuple[str, str]]:
    """Video name -> split and label of one protocol. Raises: BadSource."""
    number, _, fold = name.removeprefix("Protocol_").partition("/")
    listed: dict[str, tuple[str, str]] = {}
    for part, split in _LISTS.items():
        file = root / "Protocols" / f"Protocol_{number}" / f"{part}{f'_{fold}' if fold else ''}.txt"
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSource(f"the protocol '{name}' needs {file}: {error}") from error
        for line in filter(str.strip, lines):
            label, _, stem = (piece.strip() for piece in line.partition(","))
            if label not in ("+1", "-1", "-2") or not stem:
                raise BadSource(f"{file}: '{line}' is not '+1, name', '-1, name' or '-2, name'")
            listed[stem] = (split, label)
    return listed
