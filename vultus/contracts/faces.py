"""Pictures on their way to training: RawFaces (ingest), FaceCrops (crop), ValidationReport.

Images and crops are sha256 references into the store, so that no step copies bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from vultus.contracts.artifact import Artifact
from vultus.contracts.parts import count_rows, read_parts, stream_parts, write_parts
from vultus.contracts.words import QUALITY_COMPONENTS

FACE_COLUMNS = [
    pa.field("image_sha256", pa.string(), nullable=False),
    pa.field("subject", pa.string(), nullable=False),
    pa.field("split", pa.string(), nullable=False),
    pa.field("presentation", pa.string(), nullable=False),
    pa.field("species", pa.string()),
    pa.field("simulated", pa.bool_(), nullable=False),
    pa.field("simulation", pa.string()),
    pa.field("source", pa.string(), nullable=False),
    pa.field("licence", pa.string(), nullable=False),
    pa.field("width", pa.int32(), nullable=False),
    pa.field("height", pa.int32(), nullable=False),
    pa.field("bytes", pa.int64(), nullable=False),
    pa.field("captured_at", pa.timestamp("ms", tz="UTC")),
    pa.field("attributes", pa.map_(pa.string(), pa.string())),
]
FACE_SCHEMA = pa.schema(FACE_COLUMNS)

QUARANTINE_SCHEMA = pa.schema(
    [
        pa.field("origin", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

CROP_SCHEMA = pa.schema(
    [
        FACE_COLUMNS[0],
        pa.field("face_index", pa.int32(), nullable=False),
        *FACE_COLUMNS[1:],
        pa.field("phash", pa.uint64(), nullable=False),
        pa.field("box", pa.list_(pa.float32(), 4), nullable=False),
        pa.field("landmarks", pa.list_(pa.float32(), 10), nullable=False),
        pa.field("detection_score", pa.float32(), nullable=False),
        pa.field("yaw_deg", pa.float32(), nullable=False),
        pa.field("pitch_deg", pa.float32(), nullable=False),
        pa.field("roll_deg", pa.float32(), nullable=False),
        *(pa.field(f"quality_{name}", pa.float32(), nullable=False) for name in QUALITY_COMPONENTS),
        # Skin tone as the picture shows it: an estimate, null where it cannot be said.
        pa.field("ita_deg", pa.float32()),
        pa.field("chip_sha256", pa.string(), nullable=False),
        pa.field("context_sha256", pa.string(), nullable=False),
        pa.field("context_box", pa.list_(pa.float32(), 4), nullable=False),
        pa.field("context_kind", pa.string(), nullable=False),
    ]
)


class RawFaces(Artifact):
    """What `ingest` found: one row an accepted image, one row a refused one."""

    SCHEMA = "RawFaces"

    @classmethod
    def write(
        cls,
        path: Path,
        *,
        faces: pa.Table | Iterable[pa.Table],
        quarantine: pa.Table | Iterable[pa.Table],
        made_by: str,
        facts: dict[str, Any],
    ) -> Self:
        """Write both tables, whole or in pieces; rows keep the order they are given in."""

        def fill(folder: Path) -> None:
            write_parts(faces, FACE_SCHEMA, folder / "faces")
            write_parts(quarantine, QUARANTINE_SCHEMA, folder / "quarantine")

        return cls.create(path, fill, made_by=made_by, facts=facts)

    @cached_property
    def faces(self) -> pa.Table:
        """Rows of FACE_SCHEMA, all at once; `stream` for those who need not."""
        return read_parts(self.path / "faces")

    def stream(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows part by part, so that memory does not grow with them."""
        return stream_parts(self.path / "faces", columns)

    @property
    def rows(self) -> int:
        """How many rows `stream` gives."""
        return count_rows(self.path / "faces")

    @cached_property
    def quarantine(self) -> pa.Table:
        """Rows of QUARANTINE_SCHEMA."""
        return read_parts(self.path / "quarantine")


class FaceCrops(Artifact):
    """What `crop` cut: one row a face; `facts["raw_digest"]` names the RawFaces it came from."""

    SCHEMA = "FaceCrops"

    @classmethod
    def write(
        cls,
        path: Path,
        *,
        crops: pa.Table | Iterable[pa.Table],
        quarantine: pa.Table | Iterable[pa.Table],
        made_by: str,
        facts: dict[str, Any],
    ) -> Self:
        """Write the crops, and the images in which no usable face was found."""

        def fill(folder: Path) -> None:
            write_parts(crops, CROP_SCHEMA, folder / "crops")
            write_parts(quarantine, QUARANTINE_SCHEMA, folder / "quarantine")

        return cls.create(path, fill, made_by=made_by, facts=facts)

    @cached_property
    def crops(self) -> pa.Table:
        """Rows of CROP_SCHEMA, all at once; `stream` for those who need not."""
        return read_parts(self.path / "crops")

    def stream(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows part by part, so that memory does not grow with them."""
        return stream_parts(self.path / "crops", columns)

    @property
    def rows(self) -> int:
        """How many rows `stream` gives."""
        return count_rows(self.path / "crops")

    @cached_property
    def quarantine(self) -> pa.Table:
        """Rows of QUARANTINE_SCHEMA."""
        return read_parts(self.path / "quarantine")


class ValidationReport(Artifact):
    """What great-expectations said: `results.json`, `offending.parquet`, `data_docs/index.html`,
    and the dataset report: `report.html`, `report.pdf`, `figures.json`.

    It exists only for data that passed; `facts["crops_digest"]` names the FaceCrops.
    """

    SCHEMA = "ValidationReport"
