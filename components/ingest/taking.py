"""A piece of work: some offered pictures -> one part of the journal. Runs in the worker processes."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from components.ingest.journal import JOURNAL_SCHEMA, Journal
from components.ingest.listing import Keyed
from components.ingest.params import IngestParams
from components.ingest.simulating import Simulator
from components.ingest.source import Item, Refused, Source, reason_of
from components.ingest.split import masked, pseudonym_of
from vultus.contracts.seams import Store
from vultus.errors import BadInput
from vultus.faces.picture import checked_header

_FLUSH_BYTES = 16 << 20
PASSING = {"unreadable", "vanished", "changed_while_read"}
"""Reasons that may be gone the next time: such a picture is asked for again."""


@dataclass
class Taker:
    """Reads, checks by header, stores and simulates; picklable, nets are made once a process.

    Pixels are unpacked here only to simulate presentations: `crop` is the step that unpacks, once.
    """

    source: Source
    params: IngestParams
    store: Store
    key: bytes
    journal: Journal

    def __call__(self, items: list[Keyed]) -> list[Refused]:
        """Take some items in.

        Returns: refusals that the journal must not remember.
        Raises: StorageUnavailable; nothing of this piece is remembered then.
        """
        passing = []
        with ThreadPoolExecutor(1) as writer:
            piece = _Piece(self.store, writer)
            read = self.source.read_many([item for _, item in items])
            for (name, _), (item, data) in zip(items, read, strict=True):
                refused = self._take(name, item, data, piece)
                if refused is not None:
                    passing.append(refused)
            rows = piece.finished()
        if len(rows):
            self.journal.add(rows)
        return passing

    def _take(
        self, name: bytes, item: Item, data: bytes | BadInput, piece: "_Piece"
    ) -> Refused | None:
        """One item: a row, and one for each simulated presentation; or why not."""
        subject = pseudonym_of(item.subject, self.key)
        origin = masked(item.origin, item.subject, subject)
        try:
            if isinstance(data, BadInput):
                raise data
            header = checked_header(
                data,
                max_bytes=self.params.max_image_bytes,
                max_pixels=self.params.max_image_pixels,
            )
            shown = self._simulator.presentations(item, data)
        except BadInput as error:
            reason, detail = reason_of(error), masked(str(error), item.subject, subject)
            if reason in PASSING:
                return Refused(origin, reason, detail)
            piece.refuse({"item": name, "origin": origin, "reason": reason, "detail": detail})
            return None
        row = {
            "item": name,
            "origin": origin,
            "subject": subject,
            "presentation": item.presentation.value,
            "species": item.species.value if item.species else None,
            "simulated": False,
            "source": self.source.name,
            "licence": item.licence or self.source.licence,
            "width": header.width,
            "height": header.height,
            "captured_at": item.captured_at,
            "attributes": sorted(item.attributes.items()),
        }
        made_of_it = [(made.data, row | made.facts()) for made in shown]
        piece.add(data, row)
        for made, facts in made_of_it:
            piece.add(made, facts)
        return None

    @cached_property
    def _simulator(self) -> Simulator:
        return Simulator(self.params)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_simulator"}


@dataclass
class _Piece:
    """Rows and bytes of one piece of work; the bytes go to the store in packs, one is written (and
    waited for) while the pictures of the next are read."""

    store: Store
    writer: Executor
    rows: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    waiting_bytes: int = 0
    under_way: tuple[list[dict[str, Any]], Future[list[str]]] | None = None

    def add(self, data: bytes, row: dict[str, Any]) -> None:
        """One accepted picture."""
        row["bytes"] = len(data)
        self.rows.append(row)
        self.waiting.append((row, data))
        self.waiting_bytes += len(data)
        if self.waiting_bytes > _FLUSH_BYTES:
            self._flush()

    def refuse(self, row: dict[str, Any]) -> None:
        """One refused picture."""
        self.rows.append(row)

    def finished(self) -> pa.Table:
        """Put what waits into the store, then give the rows."""
        self._flush()
        self._settle()
        names = JOURNAL_SCHEMA.names
        columns = [[row.get(name) for row in self.rows] for name in names]
        return pa.Table.from_pydict(dict(zip(names, columns, strict=True)), JOURNAL_SCHEMA)

    def _flush(self) -> None:
        """Hand what waits to the writer, once it is through with the pack before."""
        self._settle()
        if self.waiting:
            pieces = [data for _, data in self.waiting]
            rows = [row for row, _ in self.waiting]
            self.under_way = rows, self.writer.submit(self.store.put_many, pieces)
            self.waiting, self.waiting_bytes = [], 0

    def _settle(self) -> None:
        """Wait for the pack that is being written."""
        if self.under_way is not None:
            rows, digests = self.under_way
            for row, digest in zip(rows, digests.result(), strict=True):
                row["image_sha256"] = digest
            self.under_way = None
