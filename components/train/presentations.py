"""Contexts -> crops in memory, as uint8; what a batch goes through is `augmentation.relit`."""

import numpy as np
from numpy.typing import NDArray

from components.train.params import TrainParams
from components.train.pictures import Row, pictures
from vultus.contracts.arrays import Box
from vultus.contracts.seams import Store
from vultus.contracts.words import Species
from vultus.errors import TrainingFailed
from vultus.faces.tensor import pad_crop
from vultus.metrics import auc
from vultus.networks.sampling import Indices

BONA_FIDE = 0
SPECIES = (None, *(species.value for species in Species))
"""Group number -> PAI species; group 0 is bona fide."""


def groups_of(rows: list[Row]) -> Indices:
    """int64 [N]: index into SPECIES."""
    return np.array([SPECIES.index(row["species"]) for row in rows], np.int64)


def both_classes(groups: Indices) -> Indices:
    """The same groups. Raises: TrainingFailed, where a class is missing."""
    bona_fide = int((groups == BONA_FIDE).sum())
    attacks = len(groups) - bona_fide
    if not bona_fide or not attacks:
        raise TrainingFailed(
            f"the train split holds {bona_fide} bona fide and {attacks} attack presentations; PAD "
            "needs both: set ingest's share of simulated attacks above 0, or add sources"
        )
    return groups


def auc_by_species(logits: NDArray[np.floating], groups: Indices) -> dict[str, float]:
    """AUC over all attacks and per species; empty without both classes."""
    bona_fide = groups == BONA_FIDE
    if not bona_fide.any() or bona_fide.all():
        return {}
    logits = np.asarray(logits, np.float32)
    figures = {"auc": auc(logits, bona_fide)}
    for group in np.unique(groups[~bona_fide]):
        shown = bona_fide | (groups == group)
        figures[f"auc_{SPECIES[group]}"] = auc(logits[shown], bona_fide[shown])
    return figures


def cut(
    rows: list[Row], params: TrainParams, store: Store, views: int, *, first: int = 0
) -> NDArray[np.uint8]:
    """uint8 [rows, views, 3K, S, S]; the first view is the box as it was found.

    Args: first: number of the first row among all that are cut; a jitter depends on its row's number.
    """
    side, scales = params.pad_side, params.pad_scales
    out = np.empty((len(rows), views, 3 * len(scales), side, side), np.uint8)
    for number, image in enumerate(pictures(store, rows, "context_sha256", "cutting contexts")):
        found = np.asarray(rows[number]["context_box"], np.float32)
        rng = np.random.default_rng([params.seed, first + number])
        for view in range(views):
            box = _jittered(found, rng) if view else found
            levels = [pad_crop(image, box, scale, side).transpose(2, 0, 1) for scale in scales]
            out[number, view] = np.concatenate(levels)
    return out


def _jittered(box: Box, rng: np.random.Generator) -> Box:
    """The box as another detector, or the next frame, would have found it: ±5 %."""
    side = max(box[2] - box[0], box[3] - box[1])
    shift = rng.normal(0, 0.04, 2) * side
    grow = rng.normal(0, 0.04) * side
    change = np.concatenate([shift - grow, shift + grow])
    return np.asarray(box + change, np.float32)
