"""How much of a capture is kept: collections of attacks are often cut down to the face itself.

A PAD network meets such tight pictures too (uploads, cropped databases), so that both classes are cut
alike; what tells them apart must not be the frame.
"""

from dataclasses import replace

import numpy as np

from vultus.attacks.simulation import Presentation
from vultus.faces.context import window

_EXTENT = (1.0, 1.12)
"""Times the longer box side: room below 1.15, where no network trained on real attacks decides."""


def tightened(seen: Presentation, rng: np.random.Generator) -> Presentation:
    """Cut a presentation down to its face; the extent goes into the facts.

    Args: seen: any presentation; rng: decides the extent.
    """
    extent = float(rng.uniform(*_EXTENT))
    x1, y1, x2, y2 = window(seen.box, extent, seen.image.shape)
    return replace(
        seen,
        image=np.ascontiguousarray(seen.image[y1:y2, x1:x2]),
        box=seen.box - np.array([x1, y1, x1, y1], np.float32),
        simulation={**seen.simulation, "frame_extent": extent},
    )
