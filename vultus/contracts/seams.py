"""Seams: what a step or a server is handed, so that it can be given another one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, Embeddings, LandmarkSets, RgbBatch, RgbImage, Scores


@dataclass(frozen=True)
class Detections:
    """Faces of one image, largest first.

    boxes float32 [N, 4]; landmarks float32 [N, 5, 2]; scores float32 [N] in [0, 1].
    """

    boxes: Boxes
    landmarks: LandmarkSets
    scores: Scores

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def none(cls) -> "Detections":
        """No face."""
        empty = np.zeros
        return cls(empty((0, 4), np.float32), empty((0, 5, 2), np.float32), empty(0, np.float32))


@runtime_checkable
class Detector(Protocol):
    """Finds faces."""

    def detect(self, image: RgbImage) -> Detections:
        """All faces of one RGB image."""


@runtime_checkable
class Encoder(Protocol):
    """Turns aligned chips into embeddings."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""

    def encode(self, chips: RgbBatch) -> Embeddings:
        """uint8 RGB [N, 112, 112, 3] -> float32 [N, dimension], unit length."""


@runtime_checkable
class PadScorer(Protocol):
    """Scores presentations; higher = more bona fide."""

    def score(self, images: Sequence[RgbImage], boxes: Boxes) -> Scores:
        """Images with the face box of each, in its own pixels -> float32 [N] in [0, 1]."""


@runtime_checkable
class Store(Protocol):
    """Bytes by content."""

    def put(self, data: bytes) -> str:
        """Keep the bytes; returns their hex sha256. Putting twice changes nothing."""

    def put_many(self, pieces: Sequence[bytes]) -> list[str]:
        """`put` for many pieces at once, which a store may keep side by side."""

    def put_block(
        self, block: memoryview, lengths: Sequence[int], digests: Sequence[bytes]
    ) -> None:
        """`put_many` for pieces that lie side by side in `block` and are hashed (32-byte sha256)."""

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises: StorageUnavailable; BadArtifact, if absent or changed."""

    def has(self, sha256: str) -> bool:
        """Whether the bytes are there."""

    def has_many(self, digests: Sequence[str]) -> NDArray[np.bool_]:
        """`has` for many at once."""


class TrackedRun(Protocol):
    """One open run of an experiment."""

    @property
    def run_id(self) -> str:
        """The tracker's id."""

    def log_params(self, params: Mapping[str, object]) -> None:
        """What was computed."""

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Numbers, at a step (epoch)."""

    def log_file(self, file: Path, folder: str = "") -> None:
        """Attach a file."""


class Tracker(Protocol):
    """Opens runs. Raises: TrackingUnavailable, when the server refuses."""

    def run(
        self, experiment: str, name: str, *, run_id: str | None = None
    ) -> AbstractContextManager[TrackedRun]:
        """Start a run, or go on with `run_id`; where that is unknown, a new one takes its place."""


@dataclass(frozen=True)
class VersionRef:
    """One registered version."""

    name: str
    version: int
    run_id: str
    tags: Mapping[str, str]
    aliases: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


class Registry(Protocol):
    """Where models live. Raises: TrackingUnavailable."""

    def register(
        self, name: str, folder: Path, *, run_id: str, tags: Mapping[str, str]
    ) -> VersionRef:
        """Add a ModelVersion folder; the same content again returns the version it already has."""

    def versions(self, name: str) -> Iterator[VersionRef]:
        """All versions, newest first."""

    def resolve(self, uri: str) -> VersionRef | None:
        """`models:/name@alias` or `models:/name/7`; None where there is none."""

    def fetch(self, version: VersionRef, into: Path) -> Path:
        """A local, complete copy (or the files themselves on a laptop)."""

    def tag(self, version: VersionRef, tags: Mapping[str, str]) -> None:
        """Add or change tags."""

    def set_alias(self, version: VersionRef, alias: str) -> None:
        """Point the alias to this version."""
