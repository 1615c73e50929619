"""A folder of folders: the last folder's name is the subject."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from components.ingest.files import read_file, read_listed, walk
from components.ingest.source import Answer, Item, Refused, Room, own_room
from vultus.errors import BadSource


class FolderSource:
    """`<root>/…/<subject>/<picture>`; every file that is not a list or a note is offered."""

    def __init__(self, root: Path, name: str | None = None, licence: str = "unknown") -> None:
        self._root = root
        self.name = name or f"file:{root.name}"
        self.licence = licence

    def items(self) -> Iterator[Item | Refused]:
        """Files in sorted order. Raises: BadSource, if the root cannot be read."""
        found, last, subject = False, "", ""
        for entry in walk(self._root):
            if isinstance(entry, Refused):
                yield entry
                continue
            folder = entry.origin.rpartition("/")[0]
            if folder != last:  # its files come side by side
                last, subject = folder, folder.rpartition("/")[2]
            if folder:
                found = True
                yield Item(entry.origin, subject, fingerprint=entry.fingerprint)
        if not found:
            raise BadSource(
                f"{self._root} holds no pictures in subject folders; expected "
                "<root>/<subject>/<picture>, or give a list file with columns subject, path"
            )

    def read(self, item: Item) -> bytes:
        """The file's bytes. Raises: BadSource, SourceChanged, SourceVanished."""
        return read_file(f"{self._root}/{item.origin}")

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """The files in the order of the items; the disk is asked for some ahead."""
        return read_listed(str(self._root), items, room)
