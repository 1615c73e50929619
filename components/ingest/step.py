"""Take every picture of a source into the store and one table; refuse what cannot be trusted."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.batch import map_in_order
from components.ingest.choice import source_from
from components.ingest.journal import Journal
from components.ingest.listing import Listing, list_source
from components.ingest.params import IngestParams, IngestReport
from components.ingest.source import Refused
from components.ingest.strata import Dealt, Shares, splits_for
from components.ingest.table import Plan, plan_table
from components.ingest.taking import Taker
from components.parts import Keys, keys_of
from components.workers import warm
from vultus.contracts.faces import QUARANTINE_SCHEMA, RawFaces
from vultus.contracts.seams import Store
from vultus.contracts.words import Presentation
from vultus.errors import BadData
from vultus.storage.s3 import S3Address

logger = logging.getLogger(__name__)

_LEAST, _MOST, _PIECES = 8, 2048, 8
"""Pictures a piece of work; pieces a process."""
_AHEAD = 2
"""Pieces a process that are under way: one is worked on, one waits; each is some MB of names."""


def ingest_faces(
    out: Path,
    params: IngestParams,
    *,
    store: Store,
    pseudonym_key: bytes,
    weights: Path,
    journals: Path,
    s3: S3Address | None = None,
    processes: int = 1,
    made_by: str = "ingest",
) -> IngestReport:
    """Write RawFaces at `out`.

    Args:
        out: folder of the artifact; appears whole or not at all.
        params: what is computed.
        store: where picture bytes go.
        pseudonym_key: key of the subjects' pseudonyms; decides no split and no picture.
        weights: folder of fetched files (head model of the renderer).
        journals: folder for what was taken so far; a killed run goes on from there, and a source that
            has grown is read only where it is new.
        s3: endpoint and credentials for `s3://` sources.
        processes: workers; changes no result.
        made_by: for the manifest.
    Returns: counts, reasons, time and the digest that names the data version.
    Raises: BadSource, StorageUnavailable; BadData, if not one picture could be taken.
    """
    start = time.monotonic()
    source = source_from(params.source, seed=params.seed, weights=weights, s3=s3)
    with Journal.below(journals, params, pseudonym_key).held() as journal:
        taker = Taker(source, params, store, pseudonym_key, journal)
        listing = _listed(taker, processes)
        passing = _take(taker, listing, processes)
        plan = plan_table(journal, listing.keys, params.min_images_per_subject)
        counts = plan.reasons() + Counter(entry.reason for entry in [*listing.refused, *passing])
        if plan.kept == 0:
            first = next(_quarantine(plan, listing, passing, params)).to_pylist()[0]
            raise BadData(
                f"{params.source}: none of {len(listing.keys)} pictures could be taken; "
                f"first reason: {first['origin']}: {first['detail']}"
            )
        dealt = _dealt(plan, listing, params, store)
        attacks = _Attacks()
        artifact = RawFaces.write(
            out,
            faces=attacks.counted(plan.faces(dealt.splits)),
            quarantine=_quarantine(plan, listing, passing, params),
            made_by=made_by,
            facts={
                "params": params.model_dump(mode="json"),
                "offered": len(listing.keys),
                "splits_sha256": dealt.sha256,
                "balance": None if dealt.balance is None else asdict(dealt.balance),
            },
        )
    report = IngestReport(
        images=plan.kept,
        subjects=len(dealt.splits),
        attacks=attacks.count,
        read=listing.to_read,
        known=len(listing.keys) - listing.to_read,
        quarantined=dict(counts),
        seconds=time.monotonic() - start,
        digest=artifact.digest,
    )
    logger.info("ingest: done", extra=report.summary())
    return report


def _listed(taker: Taker, processes: int) -> Listing:
    """What the source offers; workers are prepared as soon as something is found to be read."""
    known = _known(taker.journal, taker.store)
    begin = partial(warm, taker) if processes > 1 else _nothing
    return list_source(taker.source, known, taker.key, begin)


def _nothing() -> None:
    """Nothing to prepare: the work is done in this process."""


def _dealt(plan: Plan, listing: Listing, params: IngestParams, store: Store) -> Dealt:
    """The split of every subject that has rows."""
    return splits_for(
        {name: listing.subjects[name] for name in plan.subjects()},
        plan.strata(),
        Shares(params.split_seed, params.validation_share, params.test_share),
        stratify_by=params.stratify_by,
        splits_from=params.splits_from,
        store=store,
    )


def _known(journal: Journal, store: Store) -> Keys:
    """Sorted keys of the journal's items whose bytes are still in the store."""
    known, lost = [np.zeros(0, "S16")], [np.zeros(0, "S16")]
    for piece in journal.stream(["item", "image_sha256"]):
        keys = keys_of(piece["item"])
        digests = piece["image_sha256"].to_pylist()
        with_bytes = [index for index, digest in enumerate(digests) if digest is not None]
        there = store.has_many([digests[index] for index in with_bytes])
        lost.append(keys[np.array(with_bytes, np.int64)[~there]])
        known.append(keys)
    pa.default_memory_pool().release_unused()
    return np.setdiff1d(np.concatenate(known), np.concatenate(lost))


def _take(taker: Taker, listing: Listing, processes: int) -> list[Refused]:
    """Read what is new, in pieces of work that are neither many nor dear to lose."""
    size = max(_LEAST, min(_MOST, listing.to_read // (processes * _PIECES)))
    chunks = listing.chunks(size)
    results = map_in_order(
        "ingest",
        taker,
        chunks,
        total=listing.to_read,
        processes=processes,
        weigh=len,
        ahead=_AHEAD,
    )
    return [entry for passing in results for entry in passing]


def _quarantine(
    plan: Plan, listing: Listing, passing: list[Refused], params: IngestParams
) -> Iterator[pa.Table]:
    """Every refused picture: by the source, for now, for good."""
    early = [
        {"origin": entry.origin, "reason": entry.reason, "detail": entry.detail}
        for entry in [*listing.refused, *passing]
    ]
    if early:
        yield pa.Table.from_pylist(early, QUARANTINE_SCHEMA)
    yield from plan.quarantine(params.min_images_per_subject)


@dataclass
class _Attacks:
    """Counts attack presentations on their way to disk."""

    count: int = 0

    def counted(self, tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
        """The same tables."""
        for table in tables:
            attacks = pc.equal(table["presentation"], Presentation.ATTACK.value)
            self.count += pc.sum(attacks).as_py() or 0
            yield table
