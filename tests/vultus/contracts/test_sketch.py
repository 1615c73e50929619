"""The sketch of an embedding: 16 signs that everybody computes alike."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from vultus.contracts.artifact import write_table
from vultus.contracts.traffic import FEATURE_SCHEMA, SKETCH_LENGTH, sketch_of


def _unit(seed: int, dimension: int = 128) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_length_of_the_embedding_does_not_matter(seed: int, length: float) -> None:
    sketch = sketch_of(_unit(seed))
    assert sketch.dtype == np.int8
    assert sketch.shape == (SKETCH_LENGTH,)
    assert set(sketch.tolist()) <= {-1, 1}
    assert np.array_equal(sketch, sketch_of(_unit(seed) * np.float32(length)))


def test_the_opposite_face_has_the_opposite_sketch() -> None:
    assert np.array_equal(sketch_of(-_unit(3)), -sketch_of(_unit(3)))


def test_the_directions_never_change() -> None:
    """A new numpy or platform must not move every sketch at once: drift would be found in nothing."""
    pattern = np.cos(np.arange(128)).astype(np.float32)
    expected = [-1, 1, -1, -1, 1, -1, 1, 1, 1, 1, 1, -1, -1, -1, 1, 1]
    assert sketch_of(pattern).tolist() == expected


def test_signs_are_balanced_over_a_population() -> None:
    sketches = np.stack([sketch_of(_unit(seed)) for seed in range(2000)])
    # Standard deviation of a mean of 2,000 signs is 0.022; four of them, over 16 directions.
    assert np.abs(sketches.mean(axis=0)).max() < 0.09


def test_rows_with_and_without_a_sketch_come_back(tmp_path: Path) -> None:
    plain = {"ts": datetime.now(UTC), "tenant": "t", "decision": "attack"}
    given_rows = [
        {**plain, "request_id": "a", "operation": "liveness", "sketch": None},
        {**plain, "request_id": "b", "operation": "verify", "sketch": sketch_of(_unit(1)).tolist()},
    ]
    table = pa.Table.from_pylist(given_rows, schema=FEATURE_SCHEMA)
    write_table(table, FEATURE_SCHEMA, tmp_path / "log.parquet")
    assert pq.read_table(tmp_path / "log.parquet").equals(table)
