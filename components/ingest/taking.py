"""A piece of work: some offered pictures -> one part of the journal. Runs in the worker processes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from components.ingest.journal import JOURNAL_SCHEMA, Journal
from components.ingest.listing import Keyed
from components.ingest.packing import Packer
from components.ingest.params import IngestParams
from components.ingest.source import Answer, Item, Refused, Source, reason_of
from components.ingest.split import masked, pseudonym_of
from vultus.contracts.seams import Store
from vultus.errors import BadInput
from vultus.faces.picture import checked_header

if TYPE_CHECKING:
    from components.ingest.simulating import Simulator

PASSING = {"unreadable", "vanished", "changed_while_read"}
"""Reasons that may be gone the next time: such a picture is asked for again."""


class Row(NamedTuple):
    """The columns of JOURNAL_SCHEMA, in its order; a tuple, because millions are made."""

    item: bytes
    origin: str
    reason: str | None = None
    detail: str | None = None
    image_sha256: str | None = None
    subject: str | None = None
    presentation: str | None = None
    species: str | None = None
    simulated: bool | None = None
    simulation: str | None = None
    source: str | None = None
    licence: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    captured_at: datetime | None = None
    attributes: list[tuple[str, str]] | None = None


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

    @property
    def imports(self) -> str:
        """The module that a worker needs."""
        return "components.ingest.simulating" if self.params.simulates else __name__

    @contextmanager
    def working(self) -> Iterator[Callable[[list[Keyed]], Future[list[Refused]]]]:
        """A function that takes some items in, and says later what the journal must not remember:
        when they are in the store and the journal, or StorageUnavailable; then nothing of this
        piece is remembered."""
        packer = Packer(self.store)
        try:
            yield lambda items: self._take_all(items, packer)
        finally:
            packer.close()

    def _take_all(self, items: list[Keyed], packer: Packer) -> Future[list[Refused]]:
        rows: list[Row] = []
        passing: list[Refused] = []
        read = self.source.read_many([item for _, item in items], packer.room)
        for (name, _), (item, data) in zip(items, read, strict=True):
            refused = self._take(name, item, data, packer, rows)
            if refused is not None:
                passing.append(refused)

        def remember() -> list[Refused]:
            if rows:
                columns = zip(*rows, strict=True)
                self.journal.add(
                    pa.Table.from_arrays(
                        [
                            pa.array(column, field.type)
                            for column, field in zip(columns, JOURNAL_SCHEMA, strict=True)
                        ],
                        schema=JOURNAL_SCHEMA,
                    )
                )
            return passing

        return packer.end(remember)

    def _take(
        self, name: bytes, item: Item, data: Answer, packer: Packer, rows: list[Row]
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
            simulates = self.params.simulates
            shown = self._simulator.presentations(item, bytes(data)) if simulates else []
        except BadInput as error:
            reason, detail = reason_of(error), masked(str(error), item.subject, subject)
            if reason in PASSING:
                return Refused(origin, reason, detail)
            rows.append(Row(name, origin, reason, detail))
            return None
        row = Row(
            item=name,
            origin=origin,
            image_sha256=packer.add(data),
            subject=subject,
            presentation=item.presentation.value,
            species=item.species.value if item.species else None,
            simulated=False,
            source=self.source.name,
            licence=item.licence or self.source.licence,
            width=header.width,
            height=header.height,
            bytes=len(data),
            captured_at=item.captured_at,
            attributes=sorted(item.attributes.items()),
        )
        rows.append(row)
        for made in shown:
            digest = packer.add(made.data)
            facts = made.facts() | {"image_sha256": digest, "bytes": len(made.data)}
            rows.append(row._replace(**facts))
        return None

    @cached_property
    def _simulator(self) -> "Simulator":
        from components.ingest.simulating import Simulator

        return Simulator(self.params)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_simulator"}
