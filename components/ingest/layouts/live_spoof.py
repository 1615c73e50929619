"""`pad:/folder`: folders named live or spoof, print or replay, as most sets are handed around."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from components.ingest.files import walk
from components.ingest.source import Item, Refused
from vultus.contracts.words import Presentation, Species

_BONA_FIDE = {"live", "real", "genuine", "bonafide", "bona", "fide"}
_ATTACK = {"spoof", "spoofing", "attack", "attacks", "fake", "imposter", "impostor"}
_SPECIES = {
    **dict.fromkeys(("print", "prints", "printed", "photo", "photos", "paper"), Species.PRINT),
    **dict.fromkeys(("poster", "a4", "cut", "cutphoto", "warped"), Species.PRINT),
    **dict.fromkeys(("replay", "replays", "video", "videos", "screen", "display"), Species.REPLAY),
    **dict.fromkeys(("phone", "tablet", "pad", "pc", "monitor", "laptop"), Species.REPLAY),
    **dict.fromkeys(("mask", "masks", "silicone", "latex"), Species.MASK),
}
_SPLITS = {"train", "training", "devel", "dev", "val", "valid", "validation", "test", "testing"}


def live_spoof(root: Path, protocol: str | None) -> Iterator[Item | Refused]:
    """The innermost folder that says live or spoof decides; species and split from any folder.

    Subject: the innermost folder that says nothing of that, else the file's name up to its first
    `_` or space, so that pictures of one person are rather put together than torn apart.
    """
    for entry in walk(root):
        yield entry if isinstance(entry, Refused) else _labelled(entry.origin, entry.fingerprint)


def _labelled(origin: str, fingerprint: str) -> Item | Refused:
    place = PurePosixPath(origin)
    folders = [(name, _words(name)) for name in place.parts[:-1]]
    label, species, split, subject = None, None, None, ""
    for name, words in folders:
        kinds = [_SPECIES[word] for word in words if word in _SPECIES]
        species = kinds[-1] if kinds else species
        if said := _label(words):
            label = said
        if words and set(words) <= _SPLITS:
            split = name
        elif not kinds and not said:
            subject = name
    if label is None and species is None:
        return Refused(origin, "no_label", "no folder says live or spoof, print, replay or mask")
    attack = label is Presentation.ATTACK or label is None
    if attack and species is None:
        return Refused(origin, "no_label", "an attack, but no folder says print, replay or mask")
    return Item(
        origin,
        subject or re.split(r"[_\s]", place.stem, maxsplit=1)[0],
        Presentation.ATTACK if attack else Presentation.BONA_FIDE,
        species if attack else None,
        {"official_split": split} if split else {},
        fingerprint=fingerprint,
    )


def _label(words: list[str]) -> Presentation | None:
    if not _ATTACK.isdisjoint(words):
        return Presentation.ATTACK
    return None if _BONA_FIDE.isdisjoint(words) else Presentation.BONA_FIDE


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
