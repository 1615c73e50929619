"""Small FaceCrops tables with known answers, and large ones for memory: no pictures behind them."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import pyarrow as pa

from vultus.contracts.faces import CROP_SCHEMA
from vultus.contracts.words import QUALITY_COMPONENTS

ITA = pa.field("ita_deg", pa.float32())


def crop_row(number: int, subject: str, **changes: Any) -> dict[str, Any]:
    """One bona fide row of the train split, 256 x 256, frontal, well lit; its digests are hashes of
    its number."""
    digest = sha256(str(number).encode()).hexdigest()
    return {
        "image_sha256": digest,
        "face_index": 0,
        "subject": subject,
        "split": "train",
        "presentation": "bona_fide",
        "species": None,
        "simulated": False,
        "simulation": None,
        "source": "file:people",
        "licence": "CC0-1.0",
        "width": 256,
        "height": 256,
        "bytes": 9000,
        "captured_at": None,
        "attributes": [],
        "phash": int(digest[16:32], 16),
        "box": [50.0, 50.0, 130.0, 150.0],
        "landmarks": [70.0, 90.0, 110.0, 90.0, 90.0, 110.0, 75.0, 130.0, 105.0, 130.0],
        "detection_score": 0.99,
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        **{f"quality_{name}": 90.0 for name in QUALITY_COMPONENTS},
        "chip_sha256": digest,
        "context_sha256": digest,
        "context_box": [0.0, 0.0, 256.0, 256.0],
        "context_kind": "full",
    } | changes


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows of CROP_SCHEMA; with `ita_deg` where the first row has it."""
    schema = CROP_SCHEMA
    for field in (ITA,):
        if field.name in rows[0] and field.name not in schema.names:
            schema = schema.append(field)
    given = [{name: row.get(name) for name in schema.names} for row in rows]
    return pa.Table.from_pylist(given, schema)


def many_rows(rows: int, a_subject: int, piece: int = 25_000) -> Iterator[pa.Table]:
    """That many rows in pieces, `a_subject` of each subject."""
    base = table_of([crop_row(number, "") for number in range(piece)])
    place = base.column_names.index("subject")
    for start in range(0, rows, piece):
        part = base.slice(0, min(piece, rows - start))
        names = [f"{(start + row) // a_subject:016x}" for row in range(len(part))]
        yield part.set_column(place, CROP_SCHEMA.field("subject"), pa.array(names))
