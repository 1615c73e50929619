"""Names for the arrays that travel between rooms. Shapes and units are fixed here, once."""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""uint8 [H, W, 3], RGB. BGR exists only between a decoder and its return."""

RgbBatch: TypeAlias = NDArray[np.uint8]
"""uint8 [N, S, S, 3], RGB."""

Box: TypeAlias = NDArray[np.float32]
"""float32 [4] = x1, y1, x2, y2 in pixels, end exclusive."""

Boxes: TypeAlias = NDArray[np.float32]
"""float32 [N, 4]."""

Landmarks: TypeAlias = NDArray[np.float32]
"""float32 [5, 2] = eyes, nose, mouth corners; image-left first; pixels (x, y)."""

LandmarkSets: TypeAlias = NDArray[np.float32]
"""float32 [N, 5, 2]."""

Embeddings: TypeAlias = NDArray[np.float32]
"""float32 [N, D], each row of unit length."""

Scores: TypeAlias = NDArray[np.float32]
"""float32 [N]. Higher = more alike / more bona fide; accepted when score >= threshold."""

Tensor: TypeAlias = NDArray[np.float32]
"""float32 [N, 3, S, S], what a network is fed."""

Attributes: TypeAlias = Mapping[str, str]
"""Declared capture attributes, e.g. {"sex": "female", "glasses": "yes"}."""
