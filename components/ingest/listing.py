"""What a source offers now, against what the journal knows: the items still to be read, on disk."""

import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from pathlib import PurePosixPath
from typing import IO

import numpy as np

from components.ingest.journal import item_key
from components.ingest.source import Item, Refused, Source
from components.ingest.split import masked, pseudonym_of
from components.parts import Keys

_BLOCK = 1024
Keyed = tuple[bytes, Item]
"""An item with its key."""


@dataclass
class Listing:
    """Everything that was offered, in the source's order; memory is 16 bytes a picture."""

    keys: Keys
    refused: list[Refused]
    subjects: dict[str, str] = field(repr=False)
    """Pseudonym -> raw name; it stays in this process."""
    to_read: int
    _spool: IO[bytes] = field(repr=False)

    def chunks(self, size: int) -> Iterator[list[Keyed]]:
        """The items that are not known, in pieces of at most `size`."""
        self._spool.seek(0)
        waiting: list[Keyed] = []
        left = self.to_read
        while left:
            block: list[Keyed] = pickle.load(self._spool)  # noqa: S301 -- our own, nameless
            left -= len(block)
            waiting += block
            while len(waiting) >= size or (waiting and not left):
                yield waiting[:size]
                waiting = waiting[size:]


def list_source(source: Source, known: Keys, key: bytes, begin: Callable[[], None]) -> Listing:
    """Ask the source for everything it has.

    Args:
        known: sorted keys of what the journal holds.
        key: of the item keys and pseudonyms.
        begin: called when the first item is found that is not known: there will be something to do.
    Raises: BadSource, StorageUnavailable.
    """
    # A file that has no name and is gone with the process: the items may hold people's names.
    spool = tempfile.TemporaryFile()  # noqa: SIM115 -- the listing keeps it open
    keys: list[bytes] = []
    refused: list[Refused] = []
    subjects: dict[str, str] = {}
    to_read, last = 0, None
    block: list[Keyed] = []
    blocks: list[bytes] = []

    def settle() -> None:
        nonlocal to_read
        own = np.frombuffer(b"".join(keys), known.dtype)
        place = np.minimum(np.searchsorted(known, own), max(len(known) - 1, 0))
        new = known[place] != own if len(known) else np.ones(len(own), np.bool_)
        unknown = list(compress(block, new.tolist()))
        if unknown:
            if not to_read:
                begin()
            pickle.dump(unknown, spool, protocol=pickle.HIGHEST_PROTOCOL)
            to_read += len(unknown)
        blocks.append(b"".join(keys))
        keys.clear()
        block.clear()

    for entry in source.items():
        if isinstance(entry, Refused):
            refused.append(_nameless(entry, key))
            continue
        if entry.subject != last:  # they come side by side
            last = entry.subject
            subjects[pseudonym_of(last, key)] = last
        keys.append(named_key := item_key(entry.origin, entry.fingerprint, key))
        block.append((named_key, entry))
        if len(block) == _BLOCK:
            settle()
    if block:
        settle()
    return Listing(np.frombuffer(b"".join(blocks), known.dtype), refused, subjects, to_read, spool)


def _nameless(entry: Refused, key: bytes) -> Refused:
    """A refusal without the name of the folder it speaks of, which may be a person's."""
    place = PurePosixPath(entry.origin)
    name = place.parent.name or place.name
    pseudonym = pseudonym_of(name, key)
    return Refused(
        masked(entry.origin, name, pseudonym), entry.reason, masked(entry.detail, name, pseudonym)
    )
