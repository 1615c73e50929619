"""Draws hair: a shell and a curtain that thin out at the hairline."""

from dataclasses import dataclass

import numpy as np

from vultus.synthetic.asset import Floats
from vultus.synthetic.hair import HairMesh, scalp, strands
from vultus.synthetic.raster import Fragments, Index, rasterise
from vultus.synthetic.shade import gleam, plain_light, shadow_of
from vultus.synthetic.surface import Sitting, Surface

_SKIN_ERROR_DM = 0.02
"""A shell of short hair lies within the skin's own depth error: there the shell may win."""


@dataclass(frozen=True)
class Locks:
    """Where hair is seen, N pixels. cover: share of the pixel, float32 [N], > 0; streak float32 [N]."""

    found: Fragments
    cover: Floats
    streak: Floats

    @property
    def solid(self) -> Index:
        """Pixels of which nothing else is seen."""
        return self.found.pixel[self.cover >= 1]


def comb(canvas: Surface, sitting: Sitting, hair: HairMesh) -> Locks:
    """Find where hair is seen before the head that is on the canvas already."""
    height, width = canvas.depth.shape
    points, depth = sitting.stage.project(sitting.stage.pose(hair.vertices))
    found = rasterise(points, depth, hair.triangles, width, height, both_sides=True)
    behind = canvas.depth.reshape(-1).take(found.pixel)
    found = found.of(found.depth <= behind + np.float32(_SKIN_ERROR_DM))
    at = found.interpolate(hair.triangles, np.column_stack([hair.base, hair.curtain]))
    base, hanging = at[:3], at[3]
    streak = strands(base, sitting.person)
    edge = np.where(hanging > 0.5, (2.05 - hanging) * 0.5, scalp(base, sitting.person.hair))
    cover = np.clip((edge + 0.035 * streak + 0.01) / 0.06, 0, 1)
    if sitting.person.hair.style == "buzz":
        cover = np.clip(cover * (0.72 + 0.1 * streak), 0, 1)
    seen = np.flatnonzero(cover > 0)
    return Locks(found.of(seen), cover.take(seen), streak.take(seen))


def draw_hair(canvas: Surface, sitting: Sitting, hair: HairMesh, locks: Locks) -> None:
    """Colour the hair over what is on the canvas, and write its depth where it is dense."""
    light, streak, found = sitting.scene.light, locks.streak, locks.found
    posed = sitting.stage.pose(hair.vertices)
    normals = _face_normals(posed, hair).take(found.triangle, axis=1)
    normals *= np.sign(normals[2] + np.float32(1e-6))
    shadow = shadow_of(posed, hair.triangles, light.towards)
    lit = 0.35 + 0.65 * shadow.lit(found.interpolate(hair.triangles, posed), 1.0)
    ambient = np.clip(0.72 + 0.2 * streak, 0.25, 1.1)
    arriving = plain_light(normals, lit, ambient, light)
    shine = 0.5 * gleam(normals, light.towards, {26: 1.0}) * lit
    shine *= np.clip(1 + 0.7 * streak, 0, 2)
    depth_of_tone = np.clip(1 + 0.38 * streak, 0.25, 2.2)
    colours = zip(canvas.colour, sitting.person.hair.colour, arriving, light.key, strict=True)
    for plane, pigment, diffuse, key in colours:
        tone = np.float32(pigment) * depth_of_tone
        colour = tone * diffuse + np.float32(key) * shine * (0.25 + tone)
        below = plane.reshape(-1).take(found.pixel)
        plane.reshape(-1)[found.pixel] = below + locks.cover * (colour - below)
    dense = locks.cover > 0.5
    depth, near = canvas.depth.reshape(-1), found.pixel[dense]
    depth[near] = np.minimum(depth[near], found.depth[dense])


def _face_normals(posed: Floats, hair: HairMesh) -> Floats:
    """Unit normals of the triangles, float32 [3, T]."""
    corner = posed[hair.triangles]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return np.ascontiguousarray(normals.T)
