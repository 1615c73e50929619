"""Contexts -> crops in memory, as uint8, and the mild changes of light a training batch gets.

Augmentation is photometric and mild on purpose. What separates a bona fide from an attack
presentation is fine structure, black level and colour; blur, JPEG, resampling and strong colour
changes are what a recapture does, and adding them here would teach the network to overlook it. They
belong to the simulated cameras of `vultus.attacks`, which treat both classes alike.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from components.train.params import TrainParams
from components.train.pictures import Row, pictures
from vultus.contracts.arrays import Box
from vultus.contracts.seams import Store
from vultus.contracts.words import Species
from vultus.faces.tensor import pad_crop
from vultus.networks.sampling import Indices

BONA_FIDE = 0
SPECIES = (None, *(species.value for species in Species))
"""Group number -> PAI species; group 0 is bona fide."""
_FLIP, _GAIN, _OFFSET, _TINT, _NOISE = 0.5, 0.12, 0.06, 0.03, 0.012


def groups_of(rows: list[Row]) -> Indices:
    """int64 [N]: index into SPECIES."""
    return np.array([SPECIES.index(row["species"]) for row in rows], np.int64)


def cut(rows: list[Row], params: TrainParams, store: Store, views: int) -> NDArray[np.uint8]:
    """uint8 [rows, views, 3K, S, S]; the first view is the box as it was found."""
    side, scales = params.pad_side, params.pad_scales
    out = np.empty((len(rows), views, 3 * len(scales), side, side), np.uint8)
    for number, image in enumerate(pictures(store, rows, "context_sha256", "cutting contexts")):
        found = np.asarray(rows[number]["context_box"], np.float32)
        rng = np.random.default_rng([params.seed, number])
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


def relit(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirror, exposure, a trace of tint and of noise; alike at every scale of one picture.

    Args: crops: float32 [N, 3K, S, S], values about ±1.
    """
    size, channels = crops.shape[:2]
    flipped = torch.from_numpy(rng.random(size) < _FLIP)
    crops = torch.where(flipped[:, None, None, None], crops.flip(3), crops)
    gain = rng.uniform(1 - _GAIN, 1 + _GAIN, (size, 1))
    tint = np.tile(rng.uniform(1 - _TINT, 1 + _TINT, (size, 3)), channels // 3)
    offset = rng.uniform(-_OFFSET, _OFFSET, (size, 1))
    factor = torch.from_numpy((gain * tint).astype(np.float32))[:, :, None, None]
    shift = torch.from_numpy(offset.astype(np.float32))[:, :, None, None]
    noise = rng.standard_normal(crops.shape, np.float32)
    strength = rng.uniform(0, _NOISE, (size, 1, 1, 1)).astype(np.float32)
    return ((crops + 1) * factor - 1 + shift + torch.from_numpy(noise * strength)).clamp(-1, 1)
