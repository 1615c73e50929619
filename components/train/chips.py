"""Chips decoded once: one uint8 array, in memory or, beyond a size, in a file that is mapped."""

import logging
import time
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from components.train.augmentation import augmented, chimera
from components.train.embeddings import keep, load_kept
from components.train.params import TrainParams
from components.train.pictures import Row, pictures
from vultus.contracts.arrays import Embeddings, RgbBatch
from vultus.contracts.seams import Encoder, Store
from vultus.errors import StorageUnavailable
from vultus.faces.alignment import TEMPLATE_SIDE

logger = logging.getLogger(__name__)
_IN_MEMORY = 2**30
"""Bytes; a larger array is mapped from a file beside the training state. 28,000 chips."""
_BATCH = 32
_REPORT_S = 5.0


def array_of(count: int, file: Path, in_memory: int = _IN_MEMORY) -> RgbBatch:
    """uint8 [count, 112, 112, 3], not filled. Raises: StorageUnavailable, where `file` has no room."""
    shape = (count, TEMPLATE_SIDE, TEMPLATE_SIDE, 3)
    if int(np.prod(shape)) <= in_memory:
        return np.empty(shape, np.uint8)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mapped: RgbBatch = open_memmap(file, "w+", np.uint8, shape)
    except OSError as error:
        raise StorageUnavailable(f"cannot keep chips in {file}: {error}") from error
    return mapped


def chips_of(rows: list[Row], store: Store, file: Path) -> RgbBatch:
    """The chips of these rows, uint8 [N, 112, 112, 3]; `file` takes them where they are many.

    Raises: StorageUnavailable; BadArtifact, if the store lost one.
    """
    chips = array_of(len(rows), file)
    for number, chip in enumerate(pictures(store, rows, "chip_sha256", "decoding chips")):
        chips[number] = chip
    return chips


def taught_views(
    chips: RgbBatch, params: TrainParams, teacher: Encoder, folder: Path
) -> tuple[RgbBatch, Embeddings]:
    """`params.views` views of each chip, and where the teacher puts each of them.

    The first view is the chip, the others are augmented, `distil_mix` of them after being joined with
    another chip. Teacher and student see the very same view (Beyer et al., CVPR 2022: a patient and
    consistent teacher). What the teacher said is kept in `folder` and not asked again after a kill.

    Returns: uint8 [N · views, 112, 112, 3]; float32 [N · views, T], unit length.
    """
    views = array_of(len(chips) * params.views, folder / "views.npy")
    for number, chip in enumerate(chips):
        place = number * params.views
        views[place] = chip
        for view in range(1, params.views):
            rng = np.random.default_rng([params.seed, number, view])
            if rng.random() < params.distil_mix:
                other = chips[rng.integers(len(chips))]
                chip_now = chimera(chip, other, rng)
            else:
                chip_now = chip
            views[place + view] = augmented(chip_now, params.chip_augment, rng)
    kept = folder / "taught.npy"
    taught = load_kept(kept, len(views))
    if taught is None:
        taught = _asked(views, teacher)
        keep(taught, kept)
    return views, taught


def _asked(views: RgbBatch, teacher: Encoder) -> Embeddings:
    """The teacher's embeddings, with rate and time left."""
    taught = np.empty((len(views), teacher.dimension), np.float32)
    began = reported = time.monotonic()
    for start in range(0, len(views), _BATCH):
        taught[start : start + _BATCH] = teacher.encode(views[start : start + _BATCH])
        now = time.monotonic()
        if now - reported > _REPORT_S:
            rate = (start + _BATCH) / (now - began)
            left_s = round((len(views) - start) / rate)
            facts = {"done": start, "of": len(views), "rate": round(rate, 1), "left_s": left_s}
            logger.info("asking the teacher", extra=facts)
            reported = now
    return taught
