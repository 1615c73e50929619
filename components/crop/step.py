"""Detect, align and cut the labelled face of every picture, once for training and evaluation."""

import logging
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from components.batch import map_in_order
from components.crop.cutting import CropParams, Cutter
from components.crop.doubt import refuse_doubtful
from vultus.contracts.faces import CROP_SCHEMA, QUARANTINE_SCHEMA, FaceCrops, RawFaces
from vultus.contracts.seams import Store
from vultus.errors import BadData

__all__ = ["CropParams", "CropReport", "crop_faces"]

logger = logging.getLogger(__name__)


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
    processes: int = 1,
    made_by: str = "crop",
) -> CropReport:
    """Write FaceCrops at `out`: one row a face, in the order of the pictures.

    Args:
        raw: a RawFaces folder.
        out: folder of the artifact; appears whole or not at all.
        params: what is computed.
        store: where the pictures lie and the crops go.
        processes: workers; changes no result.
        made_by: for the manifest.
    Raises: BadArtifact, StorageUnavailable; BadData, if not one face was found.
    """
    start = time.monotonic()
    pictures = RawFaces.open(raw)
    faces = pictures.faces.to_pylist()
    results = list(
        map_in_order("crop", Cutter(params, store), faces, total=len(faces), processes=processes)
    )
    rows = [cut.row for cut in results if cut.row is not None]
    refused = [cut.refused for cut in results if cut.refused is not None]
    if not rows:
        raise BadData(f"{raw}: no face in any of {len(faces)} pictures; look at some of them")
    crops, doubtful = refuse_doubtful(pa.Table.from_pylist(rows, CROP_SCHEMA), params)
    quarantine = pa.concat_tables([pa.Table.from_pylist(refused, QUARANTINE_SCHEMA), doubtful])
    artifact = FaceCrops.write(
        out,
        crops=crops,
        quarantine=quarantine,
        made_by=made_by,
        facts={
            "raw_digest": pictures.digest,
            "params": params.model_dump(mode="json"),
            "pictures": len(faces),
        },
    )
    report = CropReport(
        pictures=len(faces),
        faces=len(crops),
        quarantined=dict(Counter(quarantine["reason"].to_pylist())),
        seconds=time.monotonic() - start,
        digest=artifact.digest,
    )
    logger.info("crop: done", extra=report.summary())
    return report
