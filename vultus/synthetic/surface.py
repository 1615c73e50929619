"""Draws the parts of a person onto one canvas, nearest first."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.synthetic.asset import Floats
from vultus.synthetic.hair import HairMesh, scalp, strands
from vultus.synthetic.head import EYE, EYELIDS, LIPS, MOUTH, SKIN, TEETH, HeadModel
from vultus.synthetic.person import Person
from vultus.synthetic.raster import Fragments, rasterise
from vultus.synthetic.scene import Scene, direction
from vultus.synthetic.shade import Shadow, gleam, occlusion, plain_light, shadow_of, skin_light
from vultus.synthetic.skin import look_up
from vultus.synthetic.stage import Stage, rotation

_VIEW = np.array([0.0, 0.0, 1.0], np.float32)


@dataclass(frozen=True)
class Surface:
    """colour: linear RGB float32 [H, W, 3]; depth: float32 [H, W], +inf where nothing is; both drawn
    upon in place. lit, ambient: light that arrives, float32 [H, W]."""

    colour: Floats
    depth: Floats

    @classmethod
    def empty(cls, background: Floats) -> "Surface":
        """A canvas with nothing on it but the background, float32 [H, W, 3]."""
        return cls(background, np.full(background.shape[:2], np.inf, np.float32))

    def put(self, found: Fragments, colour: Floats) -> None:
        """Write opaque fragments, colour float32 [N, 3]."""
        self.colour.reshape(-1, 3)[found.pixel] = colour
        self.depth.reshape(-1)[found.pixel] = found.depth


def draw_head(
    canvas: Surface,
    model: HeadModel,
    person: Person,
    scene: Scene,
    stage: Stage,
    vertices: Floats,
    posed: Floats,
    hair: HairMesh | None,
) -> None:
    """Skin, eyes, teeth and clothes."""
    height, width = canvas.depth.shape
    points, depth = stage.project(posed)
    found = rasterise(points, depth, model.asset.triangles, width, height)
    flat = np.full(height * width, np.inf, np.float32)
    flat[found.pixel] = found.depth
    ambient = occlusion(flat.reshape(height, width), stage.focal / stage.distance)
    ambient_at = ambient.reshape(-1)[found.pixel]
    normals = found.interpolate(model.asset.triangles, model.normals(posed))
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    where = found.interpolate(model.asset.triangles, posed)
    lit = _key_light(model, scene, stage, posed, hair).lit(where, scene.light.softness)
    part = model.asset.part[found.triangle]
    colour = np.zeros((len(found.pixel), 3), np.float32)
    base = found.interpolate(model.asset.triangles, model.asset.vertices)
    masks = found.interpolate(model.asset.triangles, model.asset.masks)
    skin, eye, teeth = (part == SKIN), (part == EYE), (part == TEETH)
    colour[skin] = _skin(
        person, scene, base[skin], masks[skin], normals[skin], lit[skin], ambient_at[skin]
    )
    colour[eye] = _eyes(
        model, person, scene, stage, vertices, where[eye], lit[eye], ambient_at[eye]
    )
    light = plain_light(normals[teeth], lit[teeth] * 0.5, ambient_at[teeth] * 0.5, scene.light)
    colour[teeth] = np.array([0.6, 0.56, 0.48], np.float32) * light
    canvas.put(found, colour)


def draw_hair(canvas: Surface, person: Person, scene: Scene, stage: Stage, hair: HairMesh) -> None:
    """The shell and the curtain, thinning out at the hairline."""
    height, width = canvas.depth.shape
    posed = stage.pose(hair.vertices)
    points, depth = stage.project(posed)
    found = rasterise(points, depth, hair.triangles, width, height, both_sides=True)
    base = found.interpolate(hair.triangles, hair.base)
    hanging = found.interpolate(hair.triangles, hair.curtain[:, None])[:, 0]
    streak = strands(base, person, hanging)
    edge = np.where(hanging > 0.5, (2.05 - hanging) * 0.5, scalp(base, person.hair))
    cover = np.clip((edge + 0.035 * streak + 0.01) / 0.06, 0, 1)
    if person.hair.style == "buzz":
        cover *= 0.72 + 0.1 * streak
    behind = canvas.depth.reshape(-1)[found.pixel]
    # A shell of short hair lies within the skin's own depth error: there the shell may win.
    cover[found.depth > behind + 0.02] = 0
    normals = _face_normals(posed, hair)[found.triangle]
    normals *= np.sign(normals[:, 2:] + 1e-6)
    towards = scene.light.towards
    shadow = shadow_of(posed, hair.triangles, towards)
    where = found.interpolate(hair.triangles, posed)
    lit = 0.35 + 0.65 * shadow.lit(where, 1.0)
    ambient = np.clip(0.72 + 0.2 * streak, 0.25, 1.1)
    light = plain_light(normals, lit, ambient, scene.light)
    shine = gleam(normals, _VIEW[None], towards[None], 26) * lit
    tone = np.array(person.hair.colour, np.float32) * np.clip(1 + 0.38 * streak, 0.25, 2.2)[:, None]
    gloss = (0.5 * shine * np.clip(1 + 0.7 * streak, 0, 2))[:, None] * scene.light.key_colour
    colour = tone * light + gloss * (0.25 + tone)
    target = canvas.colour.reshape(-1, 3)
    share = np.clip(cover, 0, 1)[:, None].astype(np.float32)
    target[found.pixel] += share * (colour - target[found.pixel])
    near = found.pixel[cover > 0.5]
    canvas.depth.reshape(-1)[near] = np.minimum(
        canvas.depth.reshape(-1)[near], found.depth[cover > 0.5]
    )


def _key_light(
    model: HeadModel, scene: Scene, stage: Stage, posed: Floats, hair: HairMesh | None
) -> Shadow:
    towards = scene.light.towards
    if hair is None:
        return shadow_of(posed, model.asset.triangles, towards)
    every = np.concatenate([posed, stage.pose(hair.vertices)])
    triangles = np.concatenate([model.asset.triangles, hair.triangles + len(posed)])
    return shadow_of(every, triangles, towards)


def _skin(
    person: Person,
    scene: Scene,
    base: Floats,
    masks: Floats,
    normals: Floats,
    lit: Floats,
    ambient: Floats,
) -> Floats:
    """Linear RGB of skin, lips, mouth and cloth."""
    albedo = look_up(person.albedo, base)
    albedo += masks[:, LIPS, None] * 0.85 * (np.array(person.skin.lips, np.float32) - albedo)
    lash = np.clip(masks[:, EYELIDS] * 1.2 - 0.35, 0, 0.75)[:, None]
    albedo *= 1 - lash * np.array([0.55, 0.6, 0.6], np.float32)
    inside = (masks[:, MOUTH] * (1 - masks[:, LIPS]))[:, None]
    albedo += np.clip(inside, 0, 1) * (np.array([0.10, 0.02, 0.02], np.float32) - albedo)
    under = 0.3 if person.hair.style == "buzz" else 0.9
    stubble = under * np.clip(scalp(base, person.hair) / 0.1, 0, 1)[:, None]
    if person.hair.style != "bald":
        albedo += stubble * (np.array(person.hair.colour, np.float32) - albedo)
    light = skin_light(normals, lit, ambient, scene.light)
    towards = scene.light.towards[None]
    gloss = person.skin.gloss * (1 + 1.2 * masks[:, LIPS])
    shine = (
        gloss
        * lit
        * (
            1.1 * gleam(normals, _VIEW[None], towards, 14)
            + 2 * gleam(normals, _VIEW[None], towards, 60)
        )
    )
    colour = albedo * light + shine[:, None] * scene.light.key_colour
    cloth = _cloth(base, scene)
    fabric = np.array(scene.cloth, np.float32) * plain_light(normals, lit, ambient, scene.light)
    return np.asarray(colour + cloth[:, None] * (fabric - colour), np.float32)


def _cloth(base: Floats, scene: Scene) -> Floats:
    """Coverage of the clothes: below a neckline that dips in front."""
    angle = np.degrees(np.arctan2(base[:, 0], base[:, 2] + 0.2))
    line = 5.62 - (0.25 + scene.neckline) * np.exp(-((angle / 38) ** 2)) * (base[:, 2] > 0)
    return np.asarray(np.clip((line - base[:, 1]) / 0.03, 0, 1), np.float32)


def _eyes(
    model: HeadModel,
    person: Person,
    scene: Scene,
    stage: Stage,
    vertices: Floats,
    where: Floats,
    lit: Floats,
    ambient: Floats,
) -> Floats:
    """Sclera, iris, limbus, pupil and the key light's reflection, by the angle from the gaze."""
    centres, _ = model.eyes(vertices)
    posed = stage.pose(centres)
    nearest = np.linalg.norm(where[:, None] - posed[None], axis=2).argmin(1)
    normals = where - posed[nearest]
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    turned = rotation(scene.gaze_yaw_deg, scene.gaze_pitch_deg, 0)
    gaze = np.asarray(stage.head @ turned @ _VIEW, np.float32)
    off = np.degrees(np.arccos(np.clip(normals @ gaze, -1, 1)))
    sclera: Floats = np.array([0.62, 0.57, 0.53], np.float32)
    iris = np.array(person.iris, np.float32) * (0.7 + 0.5 * np.clip(off / 24, 0, 1))[:, None]
    inside = np.clip((25 - off) / 3, 0, 1)[:, None]
    limbus = np.exp(-(((off - 24) / 3.2) ** 2))[:, None]
    pupil = np.clip((10.5 - off) / 2, 0, 1)[:, None]
    albedo = np.asarray(sclera + inside * (iris - sclera), np.float32)
    albedo *= (1 - 0.6 * limbus) * (1 - 0.97 * pupil)
    light = plain_light(normals, lit * 0.85, ambient * 0.75, scene.light)
    towards = direction(scene.light.azimuth_deg * 0.5, scene.light.elevation_deg * 0.5)[None]
    spark = 14 * gleam(normals, _VIEW[None], towards, 320) * (0.35 + 0.65 * lit)
    return np.asarray(albedo * light + spark[:, None] * scene.light.key_colour, np.float32)


def _face_normals(posed: Floats, hair: HairMesh) -> NDArray[np.float32]:
    corner = posed[hair.triangles]
    normals = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    return np.asarray(
        normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), np.float32
    )
