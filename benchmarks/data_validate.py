"""Do validation and report hold at the size of VGGFace2? 3.3 M synthetic rows: time, processor, memory.

Target: both together in <= 3 min and <= 4 GB. The rows are drawn from a seed and written as artifacts
first; what is measured is the step as a run calls it, `validate_crops` with the dataset report, in a
process of its own. There are no pictures behind the rows: sheets of faces and label noise, which cost
the same however many rows there are, are left out. `--spoil` makes one row in a thousand offend, for
the cost of naming them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import numpy as np
import pyarrow as pa

from benchmarks.machine import say
from components.validate import ValidateParams, validate_crops
from components.validate.report import DatasetReport
from vultus.contracts.faces import (
    CROP_SCHEMA,
    FACE_SCHEMA,
    QUARANTINE_SCHEMA,
    FaceCrops,
    RawFaces,
)
from vultus.contracts.words import QUALITY_COMPONENTS
from vultus.errors import BadData

_PIECE = 50_000
_SPLITS = np.array(["train", "validation", "test"])
_SEX, _ANCESTRY = np.array(["female", "male"]), np.array(["african", "asian", "european"])
_SPECIES = np.array(["print", "replay", "mask"])


def main() -> None:
    """Write the rows, validate them in a subprocess, print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=3_300_000)
    options.add_argument("--subjects", type=int, default=9_131)
    options.add_argument("--seed", type=int, default=2026)
    options.add_argument("--spoil", action="store_true")
    options.add_argument("--validate", type=Path, help="a folder written before")
    given = options.parse_args()
    if given.validate is not None:
        print(json.dumps(measure(given.validate)))
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write(place, given.rows, given.subjects, given.seed, spoil=given.spoil)
        command = [sys.executable, "-m", "benchmarks.data_validate", "--validate", str(place)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    facts = {"rows": given.rows, "subjects": given.subjects, "spoilt": given.spoil}
    say(facts | json.loads(ended.stdout))


def measure(folder: Path) -> dict[str, object]:
    """Time and peak memory of one validation with its report, and the report's share of the time."""
    report: dict[str, float] = {}

    def write_report(faces: FaceCrops, place: Path, pictures: RawFaces) -> None:
        began = _now()
        DatasetReport().write(faces, place, pictures)
        report.update(_since(began))

    began = _now()
    try:
        validated = validate_crops(
            folder / "raw",
            folder / "crops",
            folder / "valid",
            ValidateParams(),
            report=write_report,
        )
        outcome = f"{validated.expectations} expectations hold"
    except BadData as error:
        outcome = str(error).split("\n", 1)[0]
    return {
        "outcome": outcome,
        **_since(began),
        "of_that_the_report": report,
        "peak_rss_gb": round(getrusage(RUSAGE_SELF).ru_maxrss / 2**20, 2),
        "targets": {"wall_s": 180, "peak_rss_gb": 4},
    }


def _now() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


def _since(began: tuple[float, float]) -> dict[str, float]:
    wall, processor = _now()
    return {"wall_s": round(wall - began[0], 1), "cpu_s": round(processor - began[1], 1)}


def write(folder: Path, rows: int, subjects: int, seed: int, *, spoil: bool) -> None:
    """RawFaces and FaceCrops of that many rows, piece by piece."""

    def pieces() -> Iterator[pa.Table]:
        for start in range(0, rows, _PIECE):
            yield _piece(start, min(_PIECE, rows - start), rows, subjects, seed, spoil=spoil)

    nothing = QUARANTINE_SCHEMA.empty_table()
    raw = RawFaces.write(
        folder / "raw",
        faces=(piece.select(FACE_SCHEMA.names) for piece in pieces()),
        quarantine=nothing,
        made_by="bench",
        facts={},
    )
    facts = {"raw_digest": raw.digest, "pictures": rows}
    FaceCrops.write(
        folder / "crops", crops=pieces(), quarantine=nothing, made_by="bench", facts=facts
    )


def _piece(start: int, count: int, rows: int, subjects: int, seed: int, *, spoil: bool) -> pa.Table:
    rng = np.random.default_rng([seed, start])
    row = np.arange(start, start + count)
    person = row * subjects // rows
    # What belongs to a subject is drawn from the subject's number, so that pieces agree.
    mixed = (person.astype(np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B97F4A7C15)
    place = (mixed >> np.uint64(40)).astype(np.float64) / 2**24
    split = _SPLITS[np.digitize(place, [0.5, 0.75])]
    attack = rng.random(count) < 0.3
    simulated = attack.copy()
    digests = [[rng.bytes(32).hex() for _ in range(count)] for _ in ("image", "chip", "context")]
    corner = rng.uniform(0, 60, (count, 2))
    box = np.hstack([corner, corner + rng.uniform(60, 140, (count, 2))]).astype(np.float32)
    quality = rng.uniform(20, 100, (count, len(QUALITY_COMPONENTS))).astype(np.float32)
    if spoil:
        quality[rng.random(count) < 0.001] = 120
    sexes = _SEX[(mixed >> np.uint64(20)).astype(np.int64) % 2]
    ancestries = _ANCESTRY[(mixed >> np.uint64(30)).astype(np.int64) % 3]
    attributes = [
        [("ancestry", ancestry), ("sex", sex)]
        for ancestry, sex in zip(ancestries.tolist(), sexes.tolist(), strict=True)
    ]
    return pa.table(
        {
            "image_sha256": digests[0],
            "face_index": np.zeros(count, np.int32),
            "subject": [f"{number:016x}" for number in mixed.tolist()],
            "split": split,
            "presentation": np.where(attack, "attack", "bona_fide"),
            "species": pa.array(rng.choice(_SPECIES, count), mask=~attack),
            "simulated": simulated,
            "simulation": pa.array(["{}"] * count, mask=~simulated),
            "source": ["bench"] * count,
            "licence": ["CC0-1.0"] * count,
            "width": np.full(count, 220, np.int32),
            "height": np.full(count, 220, np.int32),
            "bytes": rng.integers(5_000, 50_000, count),
            "captured_at": pa.nulls(count, pa.timestamp("ms", tz="UTC")),
            "attributes": pa.array(attributes, pa.map_(pa.string(), pa.string())),
            "phash": rng.integers(0, 2**64, count, dtype=np.uint64),
            "box": pa.FixedSizeListArray.from_arrays(box.ravel(), 4),
            "landmarks": pa.FixedSizeListArray.from_arrays(
                rng.uniform(0, 200, count * 10).astype(np.float32), 10
            ),
            "detection_score": rng.uniform(0.8, 1, count).astype(np.float32),
            **{
                f"{name}_deg": rng.normal(0, 15, count).astype(np.float32)
                for name in ("yaw", "pitch", "roll")
            },
            **{f"quality_{name}": quality[:, i] for i, name in enumerate(QUALITY_COMPONENTS)},
            "ita_deg": pa.array(
                rng.normal(30, 25, count).astype(np.float32), mask=rng.random(count) < 0.05
            ),
            "chip_sha256": digests[1],
            "context_sha256": digests[2],
            "context_box": pa.FixedSizeListArray.from_arrays(box.ravel(), 4),
            "context_kind": ["full"] * count,
        }
    ).select(CROP_SCHEMA.names)


if __name__ == "__main__":
    main()
