"""A piece of work: some offered pictures -> one part of the journal. Runs in the worker processes."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from components.ingest.journal import JOURNAL_SCHEMA, Journal, item_key
from components.ingest.params import IngestParams
from components.ingest.simulating import Simulator
from components.ingest.source import Item, Refused, Source
from components.ingest.split import masked, pseudonym_of
from vultus.contracts.seams import Store
from vultus.contracts.words import Presentation
from vultus.errors import BadImage, BadInput
from vultus.faces.picture import checked_header

_FLUSH_BYTES = 64 << 20
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

    def __call__(self, items: list[Item]) -> list[Refused]:
        """Take some items in.

        Returns: refusals that the journal must not remember.
        Raises: StorageUnavailable; nothing of this piece is remembered then.
        """
        piece = _Piece(self.store)
        passing = []
        for item in items:
            name = item_key(item.origin, item.fingerprint, self.key)
            subject = pseudonym_of(item.subject, self.key)
            origin = masked(item.origin, item.subject, subject)
            try:
                data = self.source.read(item)
                header = checked_header(
                    data,
                    max_bytes=self.params.max_image_bytes,
                    max_pixels=self.params.max_image_pixels,
                )
                shown = self._simulator.presentations(item, data)
            except BadInput as error:
                reason = _reason(error)
                detail = masked(str(error), item.subject, subject)
                if reason in PASSING:
                    passing.append(Refused(origin, reason, detail))
                else:
                    piece.refuse(item=name, origin=origin, reason=reason, detail=detail)
                continue
            common = {
                "item": name,
                "origin": origin,
                "subject": subject,
                "source": self.source.name,
                "licence": item.licence or self.source.licence,
                "captured_at": item.captured_at,
                "attributes": sorted(item.attributes.items()),
            }
            piece.add(
                data,
                common,
                width=header.width,
                height=header.height,
                presentation=item.presentation.value,
                species=item.species.value if item.species else None,
            )
            for made in shown:
                piece.add(
                    made.data,
                    common,
                    width=made.width,
                    height=made.height,
                    presentation=(
                        Presentation.ATTACK if made.species else Presentation.BONA_FIDE
                    ).value,
                    species=made.species.value if made.species else None,
                    simulation=made.simulation,
                )
        rows = piece.finished()
        if len(rows):
            self.journal.add(rows)
        return passing

    @cached_property
    def _simulator(self) -> Simulator:
        return Simulator(self.params)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_simulator"}


@dataclass
class _Piece:
    """Rows and bytes of one piece of work; the bytes go to the store in packs."""

    store: Store
    rows: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [] for name in JOURNAL_SCHEMA.names}
    )
    waiting: list[bytes] = field(default_factory=list)
    waiting_rows: list[int] = field(default_factory=list)
    waiting_bytes: int = 0

    def add(
        self, data: bytes, common: dict[str, Any], *, simulation: str | None = None, **own: Any
    ) -> None:
        """One accepted picture."""
        self.waiting.append(data)
        self.waiting_rows.append(len(self.rows["item"]))
        self.waiting_bytes += len(data)
        self._row(
            common
            | own
            | {
                "bytes": len(data),
                "simulated": simulation is not None,
                "simulation": simulation,
            }
        )
        if self.waiting_bytes > _FLUSH_BYTES:
            self._flush()

    def refuse(self, **facts: Any) -> None:
        """One refused picture."""
        self._row(facts)

    def finished(self) -> pa.Table:
        """Put what waits into the store, then give the rows."""
        self._flush()
        return pa.Table.from_pydict(self.rows, JOURNAL_SCHEMA)

    def _row(self, facts: dict[str, Any]) -> None:
        for name, column in self.rows.items():
            column.append(facts.get(name))

    def _flush(self) -> None:
        digests = self.store.put_many(self.waiting)
        for row, digest in zip(self.waiting_rows, digests, strict=True):
            self.rows["image_sha256"][row] = digest
        self.waiting, self.waiting_rows, self.waiting_bytes = [], [], 0


def _reason(error: BadInput) -> str:
    return "bad_image" if isinstance(error, BadImage) else "unreadable"
