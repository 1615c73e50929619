"""Permissions that hold: root may read everything, so a part of a test runs as nobody."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def as_nobody() -> Iterator[None]:
    """This process without root's rights; whoever runs the tests unprivileged has none anyway."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def folder_for_all() -> Iterator[Path]:
    """A new folder that nobody can reach, too (pytest's own are closed to others)."""
    place = Path(tempfile.mkdtemp(prefix="vultus-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        for folder in [place, *place.rglob("*")]:
            if folder.is_dir() and not folder.is_symlink():
                folder.chmod(0o755)
        shutil.rmtree(place)
