"""Something behind the person: a wall, a room out of focus, or the open."""

import cv2
import numpy as np

from vultus.synthetic.asset import Floats
from vultus.synthetic.scene import Scene


def backdrop(scene: Scene, pixels: int) -> Floats:
    """Linear RGB float32 [3, pixels, pixels], never black, dimmer than the face's light."""
    rng = np.random.default_rng(scene.background)
    cells = int(rng.choice([2, 3, 6]))
    level = float(np.exp(rng.uniform(np.log(0.06), np.log(0.55))))
    tint = 0.75 + 0.25 * rng.dirichlet([2, 2, 2]) * 3
    grid = (
        level
        * (0.7 + 0.6 * rng.random((cells, cells, 1)))
        * tint
        * (0.9 + 0.2 * rng.random((cells, cells, 3)))
    )
    image = cv2.resize(grid.astype(np.float32), (pixels, pixels), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(0, 9))):
        x, y = (rng.random(2) * pixels).astype(int)
        w, h = (rng.uniform(0.05, 0.5, 2) * pixels).astype(int)
        tone = (
            level * float(np.exp(rng.normal(0, 0.7))) * (0.6 + 0.4 * rng.dirichlet([1, 1, 1]) * 3)
        )
        corner, other = (int(x - w // 2), int(y - h // 2)), (int(x + w // 2), int(y + h // 2))
        cv2.rectangle(image, corner, other, tone.tolist(), -1)
    small = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), float(rng.uniform(1.0, 7.0)))
    planes = [cv2.resize(plane, (pixels, pixels)) for plane in cv2.split(small)]
    return np.maximum(np.stack(planes), np.float32(0.004))
