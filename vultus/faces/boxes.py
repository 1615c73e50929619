"""Arithmetic of boxes: float32 [N, 4] = x1, y1, x2, y2, pixels, end exclusive."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Boxes, Scores


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Area of each box, pixels²; 0 for an empty one. Returns float32 [N]."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def overlap(
    boxes: Boxes, others: Boxes, *, over: Literal["union", "smaller"] = "union"
) -> NDArray[np.float32]:
    """Shared area of every pair, over the union (IoU) or over the smaller box.

    Returns float32 [N, M] in [0, 1].
    """
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    mine, theirs = areas(boxes)[:, None], areas(others)[None]
    whole = mine + theirs - shared if over == "union" else np.minimum(mine, theirs)
    return np.asarray(shared / np.maximum(whole, 1e-9), np.float32)


def nms(
    boxes: Boxes, scores: Scores, threshold: float, *, over: Literal["union", "smaller"] = "union"
) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: float32 [N, 4]; scores: float32 [N].
        threshold: a box goes when it overlaps a better one by more than this.
    Returns: indices of the boxes that stay, best first; ties keep the order of the input.
    """
    order = np.argsort(-scores, kind="stable")
    shared = overlap(boxes[order], boxes[order], over=over) > threshold
    alive = np.ones(len(order), bool)
    for index in range(len(order)):
        if alive[index]:
            alive[index + 1 :] &= ~shared[index, index + 1 :]
    return order[alive]


def squared(boxes: Boxes) -> Boxes:
    """Grow each box about its centre to the square of its longer side. float32 [N, 4]."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def scaled(boxes: Boxes, factor: float) -> Boxes:
    """Shrink or grow each box about its centre; `factor` of sides. float32 [N, 4]."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def clipped(boxes: Boxes, height: int, width: int) -> Boxes:
    """Cut each box at the borders of an image of that size. float32 [N, 4]."""
    return np.clip(boxes, 0, np.array([width, height, width, height], np.float32)).astype(
        np.float32
    )


def moved(boxes: Boxes, offsets: NDArray[np.float32], *, inclusive: int) -> Boxes:
    """Apply a net's box regression; `inclusive` adds the last pixel to width and height.

    Args: offsets: float32 [N, 4], shares of the box's sides. Returns: float32 [N, 4].
    """
    sides = np.tile(boxes[:, 2:] - boxes[:, :2] + inclusive, (1, 2))
    return (boxes + offsets * sides).astype(np.float32)
