"""How many new labelled pictures wait in the source that a retraining would use.

Never from the feature log: it has no pictures.
"""

import os
from pathlib import Path

from monitoring.policy import Supply
from vultus.contracts.artifact import MANIFEST
from vultus.contracts.home import Home
from vultus.contracts.words import PAD_MODEL, RECOGNITION_MODEL
from vultus.signing import ChampionPointer

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def supply_of(source: str | None, home: Home) -> Supply:
    """Pictures `<folder>/<subject>/<picture>` that came after the champions were made."""
    if source is None:
        return Supply(source=None, count=None, detail="and no source is named (retrain_source)")
    folder = Path(source.removeprefix("file://"))
    if ":" in source.removeprefix("file://") or folder.is_file():
        return Supply(
            source=source,
            count=None,
            detail=f"and new pictures in {source} cannot be counted: only a folder's can",
        )
    if not folder.is_dir():
        return Supply(source=source, count=None, detail=f"and {source} is no folder here")
    made = _champions_made(home)
    count = sum(
        1
        for root, _, names in os.walk(folder)
        if Path(root) != folder
        for name in names
        if Path(name).suffix.lower() in _SUFFIXES and (Path(root) / name).stat().st_mtime > made
    )
    return Supply(
        source=source, count=count, detail=f"{count} came to {source} since the last training"
    )


def _champions_made(home: Home) -> float:
    """Seconds since 1970 of the newest champion; 0 without one, so that all pictures are new."""
    times = [0.0]
    for name in (RECOGNITION_MODEL, PAD_MODEL):
        pointer = ChampionPointer.read(home, name)
        if pointer is not None and (pointer.path / MANIFEST).exists():
            times.append((pointer.path / MANIFEST).stat().st_mtime)
    return max(times)
