"""The seam between places where pictures lie and the step that takes them in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vultus.contracts.words import Presentation, Species


@dataclass(frozen=True)
class Item:
    """One picture that a source offers; small and picklable, the bytes come later."""

    origin: str
    subject: str
    presentation: Presentation = Presentation.BONA_FIDE
    species: Species | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
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

    def items(self) -> tuple[Sequence[Item], Sequence[Refused]]:
        """Everything there is, in an order that does not change. Raises: BadSource."""

    def read(self, item: Item) -> bytes:
        """The file. Raises: BadImage, BadSource, StorageUnavailable."""
