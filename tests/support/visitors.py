"""Pictures for a promoted home: people of its own source that it never saw, and what befalls them."""

from collections.abc import Callable

import cv2
import numpy as np

from support.heads import rendered
from vultus.contracts.arrays import RgbImage
from vultus.faces.picture import encode_jpeg


def portrait(person: int, image: int = 0) -> bytes:
    """A frontal render as JPEG, of a person from another seed than any training."""
    return encode_jpeg(rendered(person, image, seed=90, max_yaw_deg=8.0).image, 95)


def changed(picture: bytes, change: Callable[[RgbImage], RgbImage]) -> bytes:
    """The same picture after `change`."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return encode_jpeg(change(np.ascontiguousarray(image[:, :, ::-1])), 95)


def darkened(image: RgbImage) -> RgbImage:
    """As if a lamp had failed: three stops less light, and the noise of a small sensor."""
    noise = np.random.default_rng(int(image[0, 0, 0])).normal(0, 3, image.shape)
    return np.clip(image.astype(np.float32) / 8 + noise, 0, 255).astype(np.uint8)
