"""Chips -> trunk embeddings, once: augmentation happens on pixels, the adapter sees vectors."""

import io
import logging
import time
from pathlib import Path

import cv2
import numpy as np

from components.train.params import TrainParams
from components.train.pictures import Row, pictures
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.contracts.seams import Encoder, Store
from vultus.errors import StorageUnavailable

logger = logging.getLogger(__name__)
_BATCH = 32


def augmented(chip: RgbImage, rng: np.random.Generator) -> RgbImage:
    """What another camera and light would have made of the same chip. uint8 RGB, same shape."""
    image = chip[:, ::-1] if rng.random() < 0.5 else chip
    if rng.random() < 0.3:
        sigma = float(rng.uniform(0.4, 1.6))
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    gamma, gain = rng.uniform(0.7, 1.4), rng.uniform(0.75, 1.2)
    tint = rng.uniform(0.93, 1.07, 3)
    light = 255 * (image.astype(np.float32) / 255) ** gamma * gain * tint
    image = np.clip(light + rng.normal(0, rng.uniform(0, 5), image.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(30, 90))
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(image)


def embed(
    rows: list[Row], params: TrainParams, store: Store, encoder: Encoder, views: int
) -> Embeddings:
    """float32 [rows · views, 128]; the first view of each chip is the chip itself."""
    began = time.monotonic()
    parts, waiting = [np.empty((0, encoder.dimension), np.float32)], []
    for number, chip in enumerate(pictures(store, rows, "chip_sha256", "embedding chips")):
        waiting.append(chip)
        seeds = ([params.seed, number, view] for view in range(1, views))
        waiting.extend(augmented(chip, np.random.default_rng(seed)) for seed in seeds)
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
