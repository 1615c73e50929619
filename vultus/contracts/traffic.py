"""What a server keeps of its traffic (no picture, no subject), and what monitoring says of it."""

import hashlib
from datetime import datetime
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.arrays import Embeddings
from vultus.contracts.words import WATCHED_QUALITY

STAGES = ("decode", "detect", "pad", "embed", "search", "total")
SKETCH_LENGTH = 16
_SKETCH_SEED = b"vultus sketch 1"

FEATURE_SCHEMA = pa.schema(
    [
        pa.field("ts", pa.timestamp("ms", tz="UTC"), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("operation", pa.string(), nullable=False),  # verify, identify, liveness, enrol
        pa.field("tenant", pa.string(), nullable=False),
        pa.field("device", pa.string()),
        pa.field("model_recognition", pa.string()),
        pa.field("model_pad", pa.string()),
        pa.field("decision", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("score", pa.float32()),
        pa.field("margin", pa.float32()),  # score - threshold
        pa.field("pad_score", pa.float32()),
        *(pa.field(f"quality_{name}", pa.float32()) for name in WATCHED_QUALITY),
        pa.field("faces", pa.int32()),
        *(pa.field(f"latency_{stage}_ms", pa.float32()) for stage in STAGES),
        # Not of fixed length: pyarrow 25 writes a null of that kind, but cannot read it back.
        pa.field("sketch", pa.list_(pa.int8())),
    ]
)
"""FeatureLog: one row a request. `sketch` = SKETCH_LENGTH signs, see `sketch_of`: coarse enough to see
the population move and too coarse to match a person."""


def sketch_of(embedding: Embeddings) -> NDArray[np.int8]:
    """Signs of SKETCH_LENGTH fixed random directions, for the column `sketch`.

    Args: embedding: float32 [D], of one face.
    Returns: int8 [SKETCH_LENGTH] of +1 and -1; 16 bits of a person, shared with one in 65,536 others.
    Source: Charikar, Similarity estimation techniques from rounding algorithms, STOC 2002.
    """
    above = _directions(len(embedding)) @ np.asarray(embedding, np.float64) >= 0
    return np.where(above, 1, -1).astype(np.int8)


@lru_cache(maxsize=4)
def _directions(dimension: int) -> NDArray[np.float64]:
    """+1/-1 [SKETCH_LENGTH, dimension] out of SHAKE-256: the same in every numpy, for ever."""
    data = hashlib.shake_256(_SKETCH_SEED).digest(-(-SKETCH_LENGTH * dimension // 8))
    bits = np.unpackbits(np.frombuffer(data, np.uint8))[: SKETCH_LENGTH * dimension]
    return bits.reshape(SKETCH_LENGTH, dimension).astype(np.float64) * 2 - 1


class DriftTest(BaseModel):
    """One statistic of one column in one slice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="column and statistic, e.g. pad_score wasserstein")
    slice: str = Field(default="all", description="e.g. operation=verify,decision=match")
    statistic: float
    threshold: float
    drifted: bool


class DriftReport(BaseModel):
    """What one monitoring run says; `answer` is the sentence an operator reads first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_start: datetime | None
    window_end: datetime | None
    rows: int = Field(ge=0)
    reference: str = Field(description="id of the reference window")
    params: dict[str, float | int | str | bool]
    tests: tuple[DriftTest, ...]
    status: str = Field(
        description="ok, drift, not_enough_data", pattern="^(ok|drift|not_enough_data)$"
    )
    answer: str
