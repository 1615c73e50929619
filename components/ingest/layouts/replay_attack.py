"""`replay-attack:/folder`: the Replay-Attack set of Idiap, as published.

    {train,devel,test}/real/client001_session01_webcam_authenticate_adverse_1.mov
    {train,devel,test}/attack/{fixed,hand}/attack_print_client001_session01_highdef_photo_adverse.mov
    enroll/{train,devel,test}/client001_session02_webcam_enroll_adverse.mov
    protocols/{real-train,attack-grandtest-allsupports-train,…}.txt     (one path a line)

Source: Chingovska, Anjos, Marcel, On the effectiveness of local binary patterns in face
anti-spoofing, BIOSIG 2012; names as its database package (bob.db.replay) reads them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from components.ingest.files import walk
from components.ingest.source import Item, Refused
from vultus.contracts.words import Presentation, Species
from vultus.errors import BadSource

_SETS = ("train", "devel", "test")
_REAL = re.compile(
    r"client(?P<client>\d+)_session(?P<session>\d+)_(?P<device>[a-z]+)_"
    r"(?P<purpose>authenticate|enroll)_(?P<light>adverse|controlled)(?:_(?P<take>\d+))?"
)
_ATTACK = re.compile(
    r"attack_(?P<instrument>print|mobile|highdef|mask)_client(?P<client>\d+)_session(?P<session>\d+)_"
    r"(?P<sample_device>[a-z]+)_(?P<sample>photo|video)_(?P<light>adverse|controlled)"
)
# A photo or a video that a phone (mobile) or a tablet (highdef) shows is a replay, paper is a print.
_SPECIES = {
    "print": Species.PRINT,
    "mobile": Species.REPLAY,
    "highdef": Species.REPLAY,
    "mask": Species.MASK,
}


def replay_attack(root: Path, protocol: str | None) -> Iterator[Item | Refused]:
    """Every video, or those of one protocol (`grandtest`, `print`, `mobile`, …); enrolment always."""
    wanted = None if protocol is None else _protocol(root, protocol)
    for entry in walk(root):
        if isinstance(entry, Refused):
            yield entry
            continue
        folders = entry.folders
        if not folders or folders[0] not in (*_SETS, "enroll") or not set(folders) & set(_SETS):
            continue
        stem = entry.origin.rsplit(".", 1)[0]
        if wanted is None or stem in wanted or folders[0] == "enroll":
            yield _labelled(entry.origin, folders, entry.fingerprint)


def _labelled(origin: str, folders: tuple[str, ...], fingerprint: str) -> Item | Refused:
    stem = origin.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    attack, real = _ATTACK.fullmatch(stem), _REAL.fullmatch(stem)
    said = attack or real
    if said is None or ("attack" in folders) != (attack is not None):
        return Refused(origin, "bad_row", "the name is none of Replay-Attack's for this folder")
    facts = {name: value for name, value in said.groupdict().items() if value}
    facts["official_split"] = next(name for name in folders if name in _SETS)
    if attack and folders[-1] in ("fixed", "hand"):
        facts["support"] = folders[-1]
    return Item(
        origin,
        f"replay-attack-client{facts.pop('client')}",
        Presentation.ATTACK if attack else Presentation.BONA_FIDE,
        _SPECIES[attack["instrument"]] if attack else None,
        facts,
        fingerprint=fingerprint,
    )


def _protocol(root: Path, name: str) -> set[str]:
    """Paths without suffix that the lists of a protocol name. Raises: BadSource."""
    wanted: set[str] = set()
    for part in _SETS:
        own = root / "protocols" / f"real-{name}-allsupports-{part}.txt"
        real = own if own.is_file() else root / "protocols" / f"real-{part}.txt"
        for file in (root / "protocols" / f"attack-{name}-allsupports-{part}.txt", real):
            try:
                lines = file.read_text(encoding="utf-8").split()
            except (OSError, UnicodeDecodeError) as error:
                raise BadSource(f"the protocol '{name}' needs {file}: {error}") from error
            wanted |= {line.removesuffix(".mov") for line in lines}
    return wanted
