"""A PAD set as it was published: labels from its names and lists, frames from its videos."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from components.ingest.files import read_file
from components.ingest.source import Answer, Item, Refused, Room, own_room, read_each
from components.ingest.video import SUFFIXES, FrameReader, frames_of
from vultus.errors import BadSource

Layout = Callable[[Path, str | None], Iterator[Item | Refused]]
"""Root and protocol name -> one item a file, video or picture, with its fingerprint."""


class LayoutSource:
    """What a layout offers below one root.

    The set's own split is the attribute `official_split`; ours stays a hash of the subject, so that
    several sets, and new people, can be put together.
    """

    def __init__(
        self,
        root: Path,
        layout: Layout,
        name: str,
        *,
        every: int = 25,
        protocol: str | None = None,
        licence: str = "unknown",
    ) -> None:
        self._root, self._layout = root, layout
        self._every, self._protocol = every, protocol
        self._frames = FrameReader()
        self.name = name
        self.licence = licence

    def items(self) -> Iterator[Item | Refused]:
        """One item a picture or taken frame. Raises: BadSource, if there is none."""
        if not self._root.is_dir():
            raise BadSource(f"{self._root} is not a folder that can be read; check the path")
        found = False
        for entry in self._layout(self._root, self._protocol):
            found = True
            if isinstance(entry, Item) and _is_video(entry.origin):
                yield from self._from_video(entry)
            else:
                yield entry
        if not found:
            raise BadSource(f"{self._root} holds nothing where {self.name} has its files")

    def read(self, item: Item) -> bytes:
        """The picture's bytes, or the frame as a JPEG. Raises: BadImage, BadSource,
        SourceChanged, SourceVanished."""
        if item.key:
            file, _, _ = item.origin.rpartition("#")
            return self._frames.read(self._root / file, item.key[0])
        return read_file(f"{self._root}/{item.origin}")

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """One after the other, so that a video is decoded once, forwards."""
        return read_each(self.read, items)

    def _from_video(self, clip: Item) -> Iterator[Item | Refused]:
        try:
            numbers = frames_of(self._root / clip.origin, self._every)
        except (BadSource, OSError) as error:
            yield Refused(clip.origin, "unreadable", str(error))
            return
        if not numbers:
            yield Refused(clip.origin, "unreadable", "the video has no frame")
        for number in numbers:
            yield clip._replace(origin=f"{clip.origin}#{number}", key=(number,))


def _is_video(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES
