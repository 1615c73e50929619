"""Detect, align and cut the labelled face of every picture, once for training and evaluation."""

import logging
import tempfile
import time
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from components.batch import Each, map_in_order
from components.crop.cutting import CropParams, Cutter
from components.crop.doubt import Doubt
from components.crop.enrolment import CUT_COLUMNS, RAW_COLUMNS, enrolment
from components.crop.kept import Kept, keys_of_pictures
from components.crop.table import Beside
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.seams import Store
from vultus.dataset.straddle import NEAR_COLUMNS
from vultus.errors import BadData

__all__ = ["CropParams", "CropReport", "crop_faces"]

logger = logging.getLogger(__name__)
_CHUNK = 32
"""Pictures a worker takes at a time: their crops go to the store together."""
_CHUNKS_A_PART = 32
"""A killed run does at most 1,024 pictures again, some ten seconds of two cores."""


class CropReport(BaseModel):
    """What was cut and what was not."""

    model_config = ConfigDict(frozen=True)

    pictures: int
    faces: int
    cut: int = Field(description="pictures that were unpacked now")
    known: int = Field(description="pictures whose crops were there from before")
    quarantined: dict[str, int]
    seconds: float
    digest: str

    def summary(self) -> dict[str, str | int | float]:
        """Flat facts for the artifact's metadata."""
        refused = ", ".join(f"{name} {count}" for name, count in sorted(self.quarantined.items()))
        return {
            "pictures": self.pictures,
            "faces": self.faces,
            "cut": self.cut,
            "known": self.known,
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
    kept: Path | None = None,
    processes: int = 1,
    made_by: str = "crop",
) -> CropReport:
    """Write FaceCrops at `out`: one row a face, in the order of the pictures.

    Memory does not grow with the pictures, but for some 40 bytes each.

    Args:
        raw: a RawFaces folder.
        out: folder of the artifact; appears whole or not at all.
        params: what is computed.
        store: where the pictures lie and the crops go.
        kept: folder for what was cut so far: a killed run goes on from there, and of a version that has
            grown only the new pictures are unpacked. None: every run starts over.
        processes: workers; changes no result.
        made_by: for the manifest.
    Raises: BadArtifact, StorageUnavailable; BadData, if not one face was found.
    """
    start = time.monotonic()
    pictures = RawFaces.open(raw)
    total = pictures.rows
    with tempfile.TemporaryDirectory() as scratch:
        own = Kept.below(kept or Path(scratch), params)
        with own.shared():
            beside, cut = _cut(pictures, own, Cutter(params, store), processes)
            refused = beside.reasons()
            if refused.total() == total:
                raise BadData(f"{raw}: no face in any of {total} pictures; look at some of them")
            doubt = Doubt.over(beside.crops(NEAR_COLUMNS), params)
            refused += doubt.reasons()
            artifact = FaceCrops.write(
                out,
                crops=doubt.kept(beside.crops()),
                quarantine=chain(beside.refused(), doubt.refused(beside.crops(["image_sha256"]))),
                made_by=made_by,
                facts={
                    "raw_digest": pictures.digest,
                    "params": params.model_dump(mode="json"),
                    "pictures": total,
                    "people": enrolment(pictures.stream(RAW_COLUMNS), beside.crops(CUT_COLUMNS)),
                },
            )
            beside.places.touch()
        own.clean()
    report = CropReport(
        pictures=total,
        faces=total - refused.total(),
        cut=cut,
        known=total - cut,
        quarantined=dict(refused),
        seconds=time.monotonic() - start,
        digest=artifact.digest,
    )
    logger.info("crop: done", extra=report.summary())
    return report


def _cut(pictures: RawFaces, kept: Kept, cutter: Cutter, processes: int) -> tuple[Beside, int]:
    """Cut what is not known yet. Returns: everything that is asked for, and how many were cut now."""
    keys = [keys_of_pictures(part["image_sha256"]) for part in pictures.stream(["image_sha256"])]
    every, first, picture = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    del keys
    new = np.sort(first[kept.places(every, cutter.store).part < 0])
    if len(new) < len(picture):
        logger.info("crop: some are known", extra={"known": len(picture) - len(new)})
    results = map_in_order(
        "crop", Each(cutter), _chunks(pictures, new), total=len(new), processes=processes, weigh=len
    )
    while cuts := [cut for chunk in islice(results, _CHUNKS_A_PART) for cut in chunk]:
        kept.keep(cuts)
    return Beside(pictures, kept.places(every), picture.astype(np.int32)), len(new)


def _chunks(pictures: RawFaces, wanted: NDArray[np.int64]) -> Iterator[list[str]]:
    """The sha256 of these rows, _CHUNK at a time, wherever the parts of the table end."""
    digests = (digest for part in _wanted(pictures, wanted) for digest in part)
    while chunk := list(islice(digests, _CHUNK)):
        yield chunk


def _wanted(pictures: RawFaces, wanted: NDArray[np.int64]) -> Iterator[list[str]]:
    """The same, part by part. Args: wanted: int64, sorted numbers of rows."""
    start = 0
    for part in pictures.stream(["image_sha256"]):
        low, high = np.searchsorted(wanted, [start, start + len(part)])
        yield part["image_sha256"].take(wanted[low:high] - start).to_pylist()
        start += len(part)
