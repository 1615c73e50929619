"""Draws the head onto a canvas: skin, lips, eyes, teeth and clothes."""

from dataclasses import dataclass

import numpy as np

from vultus.synthetic.asset import Floats
from vultus.synthetic.hair import HairMesh, scalp
from vultus.synthetic.head import EYE, EYELIDS, LIPS, MOUTH, SKIN, TEETH, HeadModel
from vultus.synthetic.person import Person
from vultus.synthetic.raster import Fragments, Index, rasterise
from vultus.synthetic.scene import Scene, direction
from vultus.synthetic.shade import Shadow, gleam, occlusion, plain_light, shadow_of, skin_light
from vultus.synthetic.skin import look_up
from vultus.synthetic.stage import Stage, rotation

_NECKLINE_Y = 5.62
"""Clothes reach no higher than this on the base mesh, dm."""


@dataclass(frozen=True)
class Surface:
    """colour: linear RGB float32 [3, H, W]; depth: float32 [H, W], +inf where nothing is; both drawn
    upon in place."""

    colour: Floats
    depth: Floats

    @classmethod
    def empty(cls, background: Floats) -> "Surface":
        """A canvas with nothing on it but the background, float32 [3, H, W]."""
        return cls(background, np.full(background.shape[1:], np.inf, np.float32))

    def put(self, pixel: Index, colour: Floats) -> None:
        """Write opaque colours float32 [3, N] at N pixels."""
        for plane, value in zip(self.colour, colour, strict=True):
            plane.reshape(-1)[pixel] = value


@dataclass(frozen=True)
class Sitting:
    """One person before one camera. vertices, posed: float32 [V, 3], before and after the pose."""

    model: HeadModel
    person: Person
    scene: Scene
    stage: Stage
    vertices: Floats
    posed: Floats
    hair: HairMesh | None


@dataclass(frozen=True)
class _Patch:
    """N pixels of one material and the light that arrives there.

    normals float32 [3, N]; lit, ambient: shares float32 [N].
    """

    normals: Floats
    lit: Floats
    ambient: Floats


def place_head(canvas: Surface, sitting: Sitting) -> Fragments:
    """Find what is seen of the head and write its depth; nothing is coloured yet."""
    height, width = canvas.depth.shape
    points, depth = sitting.stage.project(sitting.posed)
    found = rasterise(points, depth, sitting.model.asset.triangles, width, height)
    canvas.depth.reshape(-1)[found.pixel] = found.depth
    return found


def draw_head(canvas: Surface, sitting: Sitting, found: Fragments, hidden: Index) -> None:
    """Colour the head.

    Args: found: of `place_head`; hidden: pixels that hair will cover wholly, left as they are.
    """
    model, scene, stage = sitting.model, sitting.scene, sitting.stage
    asset = model.asset
    shown = np.ones(canvas.depth.size, bool)
    shown[hidden] = False
    found = found.of(shown.take(found.pixel))
    ambient = occlusion(canvas.depth, found.pixel, stage.focal / stage.distance)
    shadow = _key_light(sitting)
    normals = model.normals(sitting.posed)

    def patch(chosen: Index) -> tuple[Fragments, Floats, _Patch]:
        part = found.of(chosen)
        at = part.interpolate(asset.triangles, np.concatenate([sitting.posed, normals], axis=1))
        across = at[3:]
        across /= np.maximum(np.sqrt((across * across).sum(0)), 1e-6)
        lit = shadow.lit(at[:3], scene.light.softness)
        return part, at[:3], _Patch(across, lit, ambient.take(chosen))

    part = asset.part.take(found.triangle)
    up = found.interpolate(asset.triangles, asset.vertices[:, 1:2])[0]
    low = np.flatnonzero((part == SKIN) & (up < _NECKLINE_Y))
    cloth = _cloth(found.of(low).interpolate(asset.triangles, asset.vertices), scene)
    bare = part == SKIN
    bare[low[cloth >= 1]] = False
    pixels, _, light = patch(np.flatnonzero(bare))
    base = pixels.interpolate(asset.triangles, asset.vertices)
    masks = pixels.interpolate(asset.triangles, asset.masks)
    canvas.put(pixels.pixel, _skin(sitting.person, scene, base, masks, light))
    pixels, _, light = patch(low[cloth > 0])
    _dress(canvas, pixels.pixel, cloth[cloth > 0], light, scene)
    pixels, where, light = patch(np.flatnonzero(part == EYE))
    canvas.put(pixels.pixel, _eyes(sitting, where, light))
    pixels, _, light = patch(np.flatnonzero(part == TEETH))
    shine = plain_light(light.normals, light.lit * 0.5, light.ambient * 0.5, scene.light)
    canvas.put(pixels.pixel, np.array([[0.6], [0.56], [0.48]], np.float32) * shine)


def _key_light(sitting: Sitting) -> Shadow:
    posed, triangles = sitting.posed, sitting.model.asset.triangles
    if sitting.hair is not None:
        triangles = np.concatenate([triangles, sitting.hair.triangles + np.int32(len(posed))])
        posed = np.concatenate([posed, sitting.stage.pose(sitting.hair.vertices)])
    return shadow_of(posed, triangles, sitting.scene.light.towards)


def _skin(person: Person, scene: Scene, base: Floats, masks: Floats, at: _Patch) -> Floats:
    """Linear RGB of skin, lips and the inside of the mouth, float32 [3, N]."""
    albedo = look_up(person.albedo, base)
    lips, lids = masks[LIPS], masks[EYELIDS]
    _blend(albedo, person.skin.lips, 0.85 * lips)
    lash = np.clip(lids * 1.2 - 0.35, 0, 0.75)
    albedo *= 1 - np.array([[0.55], [0.6], [0.6]], np.float32) * lash
    _blend(albedo, (0.10, 0.02, 0.02), np.clip(masks[MOUTH] * (1 - lips), 0, 1))
    if person.hair.style != "bald":
        under = 0.3 if person.hair.style == "buzz" else 0.9
        stubble = under * np.clip(scalp(base, person.hair) / 0.1, 0, 1)
        _blend(albedo, person.hair.colour, stubble)
    colour = albedo * skin_light(at.normals, at.lit, at.ambient, scene.light)
    shine = gleam(at.normals, scene.light.towards, {14: 1.1, 60: 2.0})
    shine *= person.skin.gloss * (1 + 1.2 * lips) * at.lit
    colour += scene.light.key_colour[:, None] * shine
    return colour


def _blend(albedo: Floats, colour: tuple[float, float, float], share: Floats) -> None:
    """Cover `share` float32 [N] of the albedo float32 [3, N], in place."""
    for channel, value in zip(albedo, colour, strict=True):
        channel += share * (np.float32(value) - channel)


def _cloth(base: Floats, scene: Scene) -> Floats:
    """Coverage of the clothes, float32 [N]: below a neckline that dips in front."""
    angle = np.degrees(np.arctan2(base[0], base[2] + np.float32(0.2)))
    dip = np.exp(-((angle / 38) ** 2)) * (base[2] > 0)
    line = _NECKLINE_Y - np.float32(0.25 + scene.neckline) * dip
    return np.asarray(np.clip((line - base[1]) / np.float32(0.03), 0, 1), np.float32)


def _dress(canvas: Surface, pixel: Index, cover: Floats, at: _Patch, scene: Scene) -> None:
    """Lay cloth over what is there."""
    light = plain_light(at.normals, at.lit, at.ambient, scene.light)
    for plane, arriving, value in zip(canvas.colour, light, scene.cloth, strict=True):
        below = plane.reshape(-1).take(pixel)
        plane.reshape(-1)[pixel] = below + cover * (np.float32(value) * arriving - below)


def _eyes(sitting: Sitting, where: Floats, at: _Patch) -> Floats:
    """Sclera, iris, limbus, pupil and the key light's reflection, by the angle from the gaze."""
    scene, stage = sitting.scene, sitting.stage
    centres, _ = sitting.model.eyes(sitting.vertices)
    away = where[None] - stage.pose(centres)[:, :, None]
    distance = np.linalg.norm(away, axis=1)
    left = distance[0] < distance[1]
    normals = np.where(left, away[0], away[1]) / np.maximum(distance.min(0), 1e-6)
    turned = rotation(scene.gaze_yaw_deg, scene.gaze_pitch_deg, 0)
    gaze = np.asarray(stage.head @ turned @ np.array([0, 0, 1], np.float32), np.float32)
    off = np.degrees(np.arccos(np.clip(gaze @ normals, -1, 1)))
    albedo = np.empty_like(normals)
    albedo[:] = np.array([[0.62], [0.57], [0.53]], np.float32)
    iris = np.array(sitting.person.iris, np.float32)[:, None] * (
        0.7 + 0.5 * np.clip(off / 24, 0, 1)
    )
    albedo += np.clip((25 - off) / 3, 0, 1) * (iris - albedo)
    limbus = np.exp(-(((off - 24) / 3.2) ** 2))
    pupil = np.clip((10.5 - off) / 2, 0, 1)
    albedo *= (1 - 0.6 * limbus) * (1 - 0.97 * pupil)
    light = plain_light(normals, at.lit * 0.85, at.ambient * 0.75, scene.light)
    towards = direction(scene.light.azimuth_deg * 0.5, scene.light.elevation_deg * 0.5)
    spark = gleam(normals, towards, {320: 14.0}) * (0.35 + 0.65 * at.lit)
    return np.asarray(albedo * light + scene.light.key_colour[:, None] * spark, np.float32)
