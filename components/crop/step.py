"""Detect, align and cut the labelled face of every picture, once for training and evaluation."""

import hashlib
import json
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from components.batch import map_in_order
from components.code import code_of
from components.crop.cutting import CropParams, Cutter
from components.crop.doubt import Doubt
from components.crop.enrolment import CUT_COLUMNS, RAW_COLUMNS, enrolment
from components.crop.journal import Journal
from vultus.contracts.faces import CROP_SCHEMA, FaceCrops, RawFaces
from vultus.contracts.seams import Store
from vultus.dataset.straddle import NEAR_COLUMNS
from vultus.errors import BadData

__all__ = ["CropParams", "CropReport", "crop_faces"]

logger = logging.getLogger(__name__)
_CHUNK = 32
"""Pictures a worker takes at a time: their crops go to the store together."""
_CHUNKS_A_PIECE = 32
"""A killed run does at most 1,024 pictures again, some ten seconds of two cores."""


_CODE = ("components/crop", "vultus/faces", "vultus/dataset")


class CropReport(BaseModel):
    """What was cut and what was not."""

    model_config = ConfigDict(frozen=True)

    pictures: int
    faces: int
    quarantined: dict[str, int]
    seconds: float
    digest: str

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.quarantined.items()))
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "quarantined": refused or "none",
            "seconds": round(self.seconds, 1),
            "digest": self.digest,
        }


def crop_faces(
    raw: Path,
    out: Path,
    params: CropParams,
    *,
    store: Store,
    resume: Path | None = None,
    processes: int = 1,
    made_by: str = "crop",
) -> CropReport:
    """Write FaceCrops at `out`: one row a face, in the order of the pictures.

    Memory does not grow with the pictures. A killed run goes on from its last piece when it is
    started again with the same raw faces, params and `resume`.

    Args:
        raw: a RawFaces folder.
        out: folder of the artifact; appears whole or not at all.
        params: what is computed.
        store: where the pictures lie and the crops go.
        resume: folder of unfinished runs; None: a killed run leaves nothing and starts over.
        processes: workers; changes no result.
        made_by: for the manifest.
    Raises: BadArtifact, StorageUnavailable; BadData, if not one face was found.
    """
    start = time.monotonic()
    pictures = RawFaces.open(raw)
    total = pictures.rows
    with tempfile.TemporaryDirectory() as scratch:
        journal = Journal((resume or Path(scratch)) / _fingerprint(pictures, params, made_by))
        _work(journal, pictures, Cutter(params, store), total, processes)
        faces = journal.rows("crops")
        if faces == 0:
            raise BadData(f"{raw}: no face in any of {total} pictures; look at some of them")
        doubt = Doubt.over(journal.stream("crops", NEAR_COLUMNS), params)
        refused = Counter(doubt.reasons())
        for table in journal.stream("quarantine", ["reason"]):
            refused.update(table["reason"].to_pylist())
        artifact = FaceCrops.write(
            out,
            crops=doubt.kept(journal.stream("crops")),
            quarantine=chain(
                journal.stream("quarantine"),
                doubt.refused(journal.stream("crops", ["image_sha256"])),
            ),
            made_by=made_by,
            facts={
                "raw_digest": pictures.digest,
                "params": params.model_dump(mode="json"),
                "pictures": total,
                "people": enrolment(
                    pictures.stream(RAW_COLUMNS), journal.stream("crops", CUT_COLUMNS)
                ),
            },
        )
        journal.forget()
    report = CropReport(
        pictures=total,
        faces=faces - doubt.reasons().total(),
        quarantined=dict(refused),
        seconds=time.monotonic() - start,
        digest=artifact.digest,
    )
    logger.info("crop: done", extra=report.summary())
    return report


def _work(journal: Journal, pictures: RawFaces, cutter: Cutter, total: int, processes: int) -> None:
    """Fill the journal from its first missing piece on."""
    first = journal.finished()
    done = min(first * _CHUNK * _CHUNKS_A_PIECE, total)
    if done:
        logger.info("crop: going on", extra={"done": done, "of": total})
    chunks = islice(_chunks(pictures), first * _CHUNKS_A_PIECE, None)
    results = map_in_order(
        "crop", cutter, chunks, total=total - done, processes=processes, weigh=len
    )
    number = first
    while cuts := [cut for chunk in islice(results, _CHUNKS_A_PIECE) for cut in chunk]:
        rows = [cut.row for cut in cuts if cut.row is not None]
        journal.keep(number, rows, [cut.refused for cut in cuts if cut.refused is not None])
        number += 1


def _chunks(pictures: RawFaces) -> Iterator[list[dict[str, Any]]]:
    """The rows, _CHUNK at a time, wherever the parts of the table end."""
    rows = (
        row
        for part in pictures.stream()
        for batch in part.to_batches(_CHUNK)
        for row in batch.to_pylist()
    )
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def _fingerprint(pictures: RawFaces, params: CropParams, made_by: str) -> str:
    """Names one run: inputs, params, the columns that are asked for, and who cuts."""
    told = [
        pictures.digest,
        params.model_dump(mode="json"),
        str(CROP_SCHEMA),
        code_of(*_CODE),
        made_by,
    ]
    return "crop-" + hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]
