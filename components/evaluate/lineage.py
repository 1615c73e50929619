"""Which faces a data version holds, as digests: what the gate needs to look for leaks."""

import hashlib
from functools import cache

import pyarrow as pa

from vultus.contracts.evaluation import LINEAGE, short_digest
from vultus.contracts.faces import FaceCrops

_COLUMNS = (
    *("split", "subject", "image_sha256", "chip_sha256", "context_sha256"),
    *("phash", "simulated", "species", "captured_at"),
)


def lineage_of(faces: FaceCrops) -> pa.Table:
    """Rows of LINEAGE, one a face, part by part."""
    parts = [_part(part) for part in faces.stream(_COLUMNS)]
    return pa.concat_tables(parts) if parts else LINEAGE.empty_table()


def _part(rows: pa.Table) -> pa.Table:
    digests = {
        name: pa.array(
            [short_digest(one) for one in rows[f"{name}_sha256"].to_pylist()], pa.uint64()
        )
        for name in ("image", "chip", "context")
    }
    subjects = [_of_name(name) for name in rows["subject"].to_pylist()]
    columns = {name: rows[name] for name in LINEAGE.names if name in rows.column_names}
    columns |= {**digests, "subject": pa.array(subjects, pa.uint64())}
    return pa.table([columns[name] for name in LINEAGE.names], names=LINEAGE.names)


@cache
def _of_name(pseudonym: str) -> int:
    return short_digest(hashlib.sha256(pseudonym.encode()).hexdigest())
