"""Chips -> trunk embeddings, once: augmentation happens on pixels, the adapter sees vectors."""

import io
import logging
import time
from pathlib import Path

import numpy as np

from components.train.augmentation import augmented
from components.train.params import TrainParams
from components.train.pictures import Row, pictures
from vultus.contracts.arrays import Embeddings
from vultus.contracts.seams import Encoder, Store
from vultus.errors import StorageUnavailable

logger = logging.getLogger(__name__)
_BATCH = 32


def embed(
    rows: list[Row], params: TrainParams, store: Store, encoder: Encoder, views: int
) -> Embeddings:
    """float32 [rows · views, 128]; the first view of each chip is the chip itself."""
    began = time.monotonic()
    parts, waiting = [np.empty((0, encoder.dimension), np.float32)], []
    for number, chip in enumerate(pictures(store, rows, "chip_sha256", "embedding chips")):
        waiting.append(chip)
        for view in range(1, views):
            rng = np.random.default_rng([params.seed, number, view])
            waiting.append(augmented(chip, params.chip_augment, rng))
        if len(waiting) >= _BATCH:
            parts.append(encoder.encode(np.stack(waiting)))
            waiting = []
    if waiting:
        parts.append(encoder.encode(np.stack(waiting)))
    seconds = round(time.monotonic() - began, 1)
    logger.info("chips embedded", extra={"chips": len(rows), "views": views, "seconds": seconds})
    return np.concatenate(parts)


def load_kept(file: Path, rows: int) -> Embeddings | None:
    """Embeddings that an earlier, killed training computed; None, where they are not whole."""
    try:
        kept = np.load(io.BytesIO(file.read_bytes()), allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return kept if len(kept) == rows else None


def keep(embeddings: Embeddings, file: Path) -> None:
    """Keep embeddings for a training that goes on after a kill. Raises: StorageUnavailable."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.save(stream, embeddings)
        partial.replace(file)
    except OSError as error:
        raise StorageUnavailable(f"cannot keep embeddings in {file}: {error}") from error
