"""uint8 crops -> what a network is fed, as the transform says. Nobody else scales pixels."""

from collections.abc import Sequence

import cv2
import numpy as np

from vultus.contracts.arrays import Boxes, RgbBatch, RgbImage, Tensor
from vultus.contracts.transform import ChipWindow, RecognitionTransform, TensorParams
from vultus.errors import TransformMismatch
from vultus.faces.alignment import TEMPLATE_SIDE
from vultus.faces.context import window


def to_tensor(chips: RgbBatch, params: TensorParams) -> Tensor:
    """Scale, order and transpose a batch.

    Args: chips: RGB uint8 [N, S, S, 3] with S = params.side.
    Returns: float32 [N, 3, S, S] = (pixel - mean) * scale.
    """
    ordered = chips if params.order == "rgb" else chips[..., ::-1]
    tensor = np.ascontiguousarray(ordered.transpose(0, 3, 1, 2), np.float32)
    if params.mean:
        tensor -= np.float32(params.mean)
    if params.scale != 1.0:
        tensor *= np.float32(params.scale)
    return tensor


def chip_tensor(chips: RgbBatch, transform: RecognitionTransform) -> Tensor:
    """Aligned chips as the input of an embedder.

    Args: chips: RGB uint8 [N, 112, 112, 3], as `align` cuts them.
    Returns: float32 [N, 3, S, S] with S = the side that the transform names.
    Raises: TransformMismatch, for chips that this network cannot take.
    """
    side, window = transform.tensor.side, transform.window
    # Without a window the chip itself is the input.
    wanted, given = (side if window is None else TEMPLATE_SIDE), chips.shape[1:]
    if given != (wanted, wanted, 3):
        raise TransformMismatch(
            f"chips are {given}, this network takes ({wanted}, {wanted}, 3); "
            "crop the faces again for it"
        )
    if window is not None:
        chips = np.stack([_look_through(window, chip, side) for chip in chips])
    return to_tensor(chips, transform.tensor)


def _look_through(window: ChipWindow, chip: RgbImage, side: int) -> RgbImage:
    scale = side / window.side
    matrix = np.array([[scale, 0, -scale * window.left], [0, scale, -scale * window.top]])
    seen = cv2.warpAffine(
        chip, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(seen, np.uint8)


def pad_crop(image: RgbImage, box: Boxes, scale: float, side: int) -> RgbImage:
    """The square neighbourhood of one face at one scale, as every PAD network sees it.

    Args:
        image: RGB uint8 [H, W, 3]; box: float32 [4].
        scale: side of the crop, times the longer side of the box; shifted, then cut, to lie inside.
        side: output width and height, pixels.
    Returns: RGB uint8 [side, side, 3], shrunk by area averaging, grown linearly.
    """
    x1, y1, x2, y2 = window(box, scale, image.shape)
    cut = image[y1:y2, x1:x2]
    method = cv2.INTER_AREA if min(cut.shape[:2]) > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (side, side), interpolation=method), np.uint8)


def pad_tensor(
    images: Sequence[RgbImage], boxes: Boxes, *, scales: tuple[float, ...], params: TensorParams
) -> Tensor:
    """Crops of every face at every scale, stacked along the channels.

    Args: images: N pictures or contexts; boxes: float32 [N, 4], in the pixels of each.
    Returns: float32 [N, 3 * len(scales), S, S].
    """
    chips = np.empty((len(scales), len(images), params.side, params.side, 3), np.uint8)
    for index, (image, box) in enumerate(zip(images, boxes, strict=True)):
        for level, scale in enumerate(scales):
            chips[level, index] = pad_crop(image, box, scale, params.side)
    return np.concatenate([to_tensor(level, params) for level in chips], axis=1)
