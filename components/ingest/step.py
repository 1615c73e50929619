"""Take every picture of a source into the store and one table; refuse what cannot be trusted."""

import logging
import time
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from components.batch import map_in_order
from components.ingest.choice import source_from
from components.ingest.params import IngestParams, IngestReport
from components.ingest.source import Item, Refused
from components.ingest.split import pseudonym_of
from components.ingest.strata import Shares, splits_for
from components.ingest.taking import Taker
from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA, RawFaces
from vultus.contracts.seams import Store
from vultus.contracts.words import Presentation
from vultus.errors import BadData
from vultus.storage.s3 import S3Address

logger = logging.getLogger(__name__)


def ingest_faces(
    out: Path,
    params: IngestParams,
    *,
    store: Store,
    pseudonym_key: bytes,
    weights: Path,
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
        s3: endpoint and credentials for `s3://` sources.
        processes: workers; changes no result.
        made_by: for the manifest.
    Returns: counts, reasons, time and the digest that names the data version.
    Raises: BadSource, StorageUnavailable; BadData, if not one picture could be taken.
    """
    start = time.monotonic()
    source = source_from(params.source, seed=params.seed, weights=weights, s3=s3)
    offered = list(source.items())
    items = [entry for entry in offered if isinstance(entry, Item)]
    rows: list[dict[str, Any]] = []
    quarantine = [entry for entry in offered if isinstance(entry, Refused)]
    origins: list[Item] = []
    taker = Taker(source, params, store, pseudonym_key)
    results = map_in_order("ingest", taker, items, total=len(items), processes=processes)
    for item, taken in zip(items, results, strict=True):
        quarantine.extend(taken.refused)
        rows.extend(taken.rows)
        origins.extend([item] * len(taken.rows))
    kept, doubtful = _without_doubtful(rows, origins, params.min_images_per_subject)
    quarantine.extend(doubtful)
    if not kept:
        raise BadData(
            f"{params.source}: none of {len(items)} pictures could be taken; "
            f"first reason: {quarantine[0].origin}: {quarantine[0].detail}"
        )
    table, facts = _split(
        pa.Table.from_pylist(kept, FACE_SCHEMA), items, pseudonym_key, params, store
    )
    artifact = RawFaces.write(
        out,
        faces=table,
        quarantine=pa.Table.from_pylist([vars(entry) for entry in quarantine], QUARANTINE_SCHEMA),
        made_by=made_by,
        facts={"params": params.model_dump(mode="json"), "offered": len(items), **facts},
    )
    report = IngestReport(
        images=len(kept),
        subjects=len({row["subject"] for row in kept}),
        attacks=sum(row["presentation"] == Presentation.ATTACK for row in kept),
        quarantined=dict(Counter(entry.reason for entry in quarantine)),
        seconds=time.monotonic() - start,
        digest=artifact.digest,
    )
    logger.info("ingest: done", extra=report.summary())
    return report


def _split(
    faces: pa.Table, items: list[Item], key: bytes, params: IngestParams, store: Store
) -> tuple[pa.Table, dict[str, Any]]:
    """The same rows, each in its subject's split, and what the manifest says of the splits."""
    subjects = faces["subject"].to_pylist()
    known = set(subjects)
    names = {pseudonym_of(item.subject, key): item.subject for item in items}
    dealt = splits_for(
        {pseudonym: name for pseudonym, name in names.items() if pseudonym in known},
        [faces],
        Shares(params.split_seed, params.validation_share, params.test_share),
        stratify_by=params.stratify_by,
        splits_from=params.splits_from,
        store=store,
    )
    splits = pa.array([dealt.splits[subject].value for subject in subjects])
    place = faces.column_names.index("split")
    balance = None if dealt.balance is None else asdict(dealt.balance)
    facts = {"splits_sha256": dealt.sha256, "balance": balance}
    return faces.set_column(place, faces.schema.field("split"), splits), facts


def _without_doubtful(
    rows: list[dict[str, Any]], origins: list[Item], min_images: int
) -> tuple[list[dict[str, Any]], list[Refused]]:
    """Drop what would leak or mislead: copies, one picture under two names, lone pictures."""
    subjects_of = defaultdict(set)
    for row in rows:
        subjects_of[row["image_sha256"]].add(row["subject"])
    refused: list[Refused] = []
    seen: set[str] = set()
    kept: list[tuple[dict[str, Any], Item]] = []
    for row, item in zip(rows, origins, strict=True):
        digest = row["image_sha256"]
        if len(subjects_of[digest]) > 1:
            refused.append(_refusal(item, "two_identities", "the file lies under two subjects"))
        elif digest in seen:
            refused.append(_refusal(item, "duplicate", "the same file was taken already"))
        else:
            seen.add(digest)
            kept.append((row, item))
    originals = Counter(row["subject"] for row, _ in kept if not row["simulated"])
    for row, item in kept:
        if originals[row["subject"]] < min_images and not row["simulated"]:
            refused.append(
                _refusal(item, "lone_picture", f"its subject has fewer than {min_images} pictures")
            )
    return [row for row, _ in kept if originals[row["subject"]] >= min_images], refused


def _refusal(item: Item, reason: str, detail: str) -> Refused:
    return Refused(item.origin, reason, detail)
