"""Files below a folder: listed in a stable order, read so that a writer in between is noticed."""

import os
import stat
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from components.ingest.source import Answer, Item, Refused, Room, own_room
from vultus.errors import BadInput, BadSource, SourceChanged, SourceVanished

_SIDE_SUFFIXES = {"csv", "parquet", "json", "txt", "md", "xml", "face"}
_TRIES = 2
_AHEAD = 16
"""Files that are open before they are read: the disk has something to do meanwhile."""


class Listed(NamedTuple):
    """One file: `origin` relative to the root, with slashes."""

    origin: str
    fingerprint: str

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the folders between root and file, outermost first."""
        return tuple(self.origin.split("/")[:-1])

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.origin.rsplit("/", 1)[-1]


def walk(root: Path) -> Iterator[Listed | Refused]:
    """Every file that may be a picture: by folder, files before folders, both by name.

    One folder's names are held at a time. Links are followed, but not in circles. Hidden files and
    lists or notes are passed over; what cannot be offered comes as Refused, at its place.
    Raises: BadSource, if the root cannot be read.
    """
    try:
        status = root.stat()
        with os.scandir(root):
            pass
    except OSError as error:
        raise BadSource(
            f"{root} is not a folder that can be read ({error.strerror}); check the path"
        ) from error
    yield from _below(root, "", {_identity(status)})


def is_side_file(name: str) -> bool:
    """Whether a name is that of a list, a note, or hidden: nothing that is offered."""
    _, dot, suffix = name.rpartition(".")
    return name.startswith(".") or (bool(dot) and suffix.lower() in _SIDE_SUFFIXES)


def fingerprint_of(status: os.stat_result) -> str:
    """Size and time of last change: both stay while nobody writes."""
    return f"{status.st_size}-{status.st_mtime_ns}"


def read_file(file: str) -> bytes:
    """The whole file as it was at one time.

    Raises: SourceChanged, if somebody wrote to it in both of two tries; SourceVanished; BadSource.
    """
    try:
        for _ in range(_TRIES):
            handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
            try:
                before = os.fstat(handle)
                data = os.read(handle, before.st_size + 1)
                after = os.fstat(handle)
            finally:
                os.close(handle)
            if len(data) == after.st_size and fingerprint_of(before) == fingerprint_of(after):
                return data
    except OSError as error:
        raise _cannot(file, error) from error
    raise SourceChanged(f"{_name(file)} is being written to; ingest again when that is done")


def read_listed(
    root: str, items: Iterable[Item], room: Room = own_room
) -> Iterator[tuple[Item, Answer]]:
    """`read_file` for items below a root whose fingerprint is `fingerprint_of`: files are opened, and
    asked of the disk, some places before they are read. Five system calls a file, for millions."""
    waiting: deque[tuple[Item, str, int | BadInput]] = deque()
    try:
        for item in items:
            origin = item.origin
            file = origin if origin.startswith("/") else f"{root}/{origin}"
            waiting.append((item, file, _asked_for(file)))
            if len(waiting) > _AHEAD:
                yield _outcome(*waiting.popleft(), room)
        while waiting:
            yield _outcome(*waiting.popleft(), room)
    finally:
        for _, _, handle in waiting:
            if isinstance(handle, int):
                os.close(handle)


def _asked_for(file: str) -> int | BadInput:
    """An open file that the disk has begun to read; or why there is none."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return _cannot(file, error)
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
    return handle


def _outcome(item: Item, file: str, handle: int | BadInput, room: Room) -> tuple[Item, Answer]:
    """The bytes, if they are still those that were listed; else what `read_file` says of them."""
    if isinstance(handle, BadInput):
        return item, handle
    try:
        place = room(int(item.fingerprint.partition("-")[0]) + 1)
        length = os.readv(handle, [place])
        status = os.fstat(handle)
        if length == status.st_size and item.fingerprint == fingerprint_of(status):
            return item, place[:length]
    except OSError:
        pass  # the slow way says what is wrong
    finally:
        os.close(handle)
    try:
        return item, read_file(file)
    except BadInput as error:
        return item, error


def _cannot(file: str, error: OSError) -> BadInput:
    if isinstance(error, FileNotFoundError):
        return SourceVanished(f"{_name(file)} is gone since it was listed")
    return BadSource(f"{_name(file)} cannot be read: {error.strerror or error}")


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def _below(root: Path, place: str, above: set[tuple[int, int]]) -> Iterator[Listed | Refused]:
    try:
        with os.scandir(root / place) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        reason = "vanished" if isinstance(error, FileNotFoundError) else "unreadable"
        yield Refused(_printable(place), reason, f"the folder cannot be read: {error.strerror}")
        return
    folders: list[tuple[str, tuple[int, int]]] = []
    for entry in entries:
        name = entry.name
        if not is_side_file(name):
            origin = place + name
            answer = _look(entry, origin, above)
            if isinstance(answer, (Listed, Refused)):
                yield answer
            else:
                folders.append((f"{origin}/", answer))
    for folder, identity in folders:
        yield from _below(root, folder, above | {identity})


def _look(
    entry: os.DirEntry[str], origin: str, above: set[tuple[int, int]]
) -> Listed | Refused | tuple[int, int]:
    """A file, a refusal, or the identity of a folder to go into."""
    shown = _printable(origin)
    if shown != origin:
        return Refused(shown, "bad_name", "the name is no UTF-8; rename it")
    try:
        status = entry.stat()
    except OSError as error:
        kind = "link that leads nowhere" if entry.is_symlink() else "file that cannot be looked at"
        return Refused(shown, "unreadable", f"a {kind}: {error.strerror}")
    if stat.S_ISREG(status.st_mode):
        return Listed(origin, fingerprint_of(status))
    if not stat.S_ISDIR(status.st_mode):
        return Refused(shown, "unreadable", "neither a file nor a folder")
    identity = _identity(status)
    if identity in above:
        return Refused(shown, "unreadable", "a link back to a folder that holds it")
    return identity


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _printable(name: str) -> str:
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()
