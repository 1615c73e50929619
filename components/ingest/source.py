"""The seam between places where pictures lie and the step that takes them in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from vultus.contracts.words import Presentation, Species
from vultus.errors import BadImage, BadInput, SourceChanged, SourceVanished

_NOTHING: Mapping[str, str] = {}
Room = Callable[[int], memoryview]
"""Gives a place for so many bytes; it is good until the next is asked for."""
Answer = bytes | memoryview | BadInput
"""A file, or what is wrong with it."""


def own_room(size: int) -> memoryview:
    """Room that nobody else uses."""
    return memoryview(bytearray(size))


class Item(NamedTuple):
    """One picture that a source offers; small and picklable, the bytes come later.

    A tuple, because millions are made and handed to other processes (a third of a dataclass's time).
    fingerprint: changes when the bytes do (size and time of a file, ETag of an object, nothing for
    a render, whose origin says all); what has the same origin and fingerprint is not read again.
    captured_at, licence: of this picture, where the source knows; else the source's.
    """

    origin: str
    subject: str
    presentation: Presentation = Presentation.BONA_FIDE
    species: Species | None = None
    attributes: Mapping[str, str] = _NOTHING
    captured_at: datetime | None = None
    licence: str | None = None
    fingerprint: str = ""
    key: tuple[int, ...] = ()


@dataclass(frozen=True)
class Refused:
    """One picture or folder that a source could not even offer."""

    origin: str
    reason: str
    detail: str


class Source(Protocol):
    """A place where pictures lie. Picklable: every worker process reads for itself."""

    @property
    def name(self) -> str:
        """What the column `source` says."""

    @property
    def licence(self) -> str:
        """What the column `licence` says."""

    def items(self) -> Iterator[Item | Refused]:
        """Everything there is, one by one (a source may hold millions), in an order that does not
        change. Raises: BadSource."""

    def read(self, item: Item) -> bytes:
        """The file. Raises: BadImage, BadSource, SourceChanged, SourceVanished,
        StorageUnavailable."""

    def read_many(
        self, items: Iterable[Item], room: Room = own_room
    ) -> Iterator[tuple[Item, Answer]]:
        """The files in the order of the items, as far ahead as pays; one bad file stops nothing.

        Args: room: where a source that can reads to; each is used before the next is read.

        Raises: StorageUnavailable, when the place itself is gone.
        """


def read_each(
    read: Callable[[Item], bytes], items: Iterable[Item]
) -> Iterator[tuple[Item, Answer]]:
    """`Source.read_many` where nothing is won by reading ahead."""
    for item in items:
        try:
            yield item, read(item)
        except BadInput as error:
            yield item, error


def reason_of(error: BadInput) -> str:
    """The quarantine's word for what `read` raised."""
    if isinstance(error, BadImage):
        return "bad_image"
    if isinstance(error, SourceChanged):
        return "changed_while_read"
    return "vanished" if isinstance(error, SourceVanished) else "unreadable"
