"""Hair as a shell over the scalp, and a curtain behind it where it is long."""

from dataclasses import dataclass

import numpy as np

from vultus.synthetic.asset import Floats, Ints
from vultus.synthetic.head import EARS, SKIN, HeadModel
from vultus.synthetic.person import Hair, Person

# Height of the hairline (dm, base mesh) over the angle from the nose (degrees), by cut.
_ANGLES = (0.0, 25.0, 45.0, 62.0, 78.0, 92.0, 115.0, 180.0)
_LINES = {
    "short": (7.98, 7.96, 7.88, 7.66, 7.22, 7.12, 6.62, 6.4),
    "buzz": (7.98, 7.96, 7.88, 7.66, 7.25, 7.2, 6.7, 6.5),
    "medium": (7.95, 7.92, 7.82, 7.5, 6.95, 6.7, 6.3, 6.1),
    "long": (7.97, 7.94, 7.84, 7.45, 6.85, 6.5, 6.1, 5.9),
    "curly": (7.94, 7.92, 7.84, 7.58, 7.12, 6.95, 6.5, 6.3),
}
_AXIS_Z = 0.35


@dataclass(frozen=True)
class HairMesh:
    """Geometry that is drawn after the head, with soft edges.

    vertices float32 [V, 3] and base float32 [V, 3] (the same points on the base mesh);
    triangles int32 [T, 3]; curtain: bool [V], hangs free.
    """

    vertices: Floats
    base: Floats
    triangles: Ints
    curtain: Floats


def scalp(base: Floats, hair: Hair) -> Floats:
    """Signed height above the hairline, decimetres, float32 [N]; > 0 where hair grows.

    Args: base: positions on the base mesh, float32 [3, N].
    """
    line = _LINES["short" if hair.style == "bald" else hair.style]
    angle = np.degrees(np.abs(np.arctan2(base[0], base[2] - np.float32(_AXIS_Z))))
    height = np.interp(angle, _ANGLES, line).astype(np.float32)
    height += hair.hairline * np.exp(-((angle / 45) ** 2))
    height += hair.temples * np.exp(-(((angle - 38) / 16) ** 2))
    return np.asarray(base[1] - height, np.float32)


def hair_mesh(model: HeadModel, person: Person) -> HairMesh | None:
    """The hair of one person; None for a bald one."""
    hair = person.hair
    if hair.style == "bald":
        return None
    base, triangles = model.asset.vertices, model.asset.triangles
    above = scalp(base.T, hair)
    above -= 0.3 * model.asset.masks[:, EARS]
    above[base[:, 1] < 5.5] = -1
    keep = (model.asset.part == SKIN) & (above[triangles] > -0.08).any(1)
    kept, compact = np.unique(triangles[keep], return_inverse=True)
    normals = model.normals(person.vertices)[kept]
    lift = np.clip((above[kept] - 0.02) / 0.5, 0, 1) ** 0.9
    crown = 0.75 + 0.5 * np.clip((base[kept, 1] - 7.6) / 0.9, 0, 1)
    rng = np.random.default_rng([person.seed, person.index, 4])
    lumps = _lumps(base[kept], rng) * (0.35 if hair.style == "curly" else 0.14)
    part = 1 - 0.35 * np.exp(-(((base[kept, 0] - 0.5 * hair.parting) / 0.07) ** 2)) * (
        base[kept, 1] > 8.1
    )
    thickness = 0.008 + hair.thickness * lift * crown * (1 + lumps) * part
    vertices = person.vertices[kept] + normals * thickness[:, None].astype(np.float32)
    mesh = HairMesh(
        vertices.astype(np.float32),
        base[kept],
        compact.reshape(-1, 3).astype(np.int32),
        np.zeros(len(kept), np.float32),
    )
    return _with_curtain(mesh, person) if hair.style == "long" else mesh


def strands(base: Floats, person: Person) -> Floats:
    """Streaks along the hair's run, about N(0, 1), float32 [N]; curls have no run.

    Args: base: positions on the base mesh, float32 [3, N].
    """
    rng = np.random.default_rng([person.seed, person.index, 5])
    angle = np.arctan2(base[0] - np.float32(0.4 * person.hair.parting), base[2] - np.float32(0.1))
    down = np.float32(8.6) - base[1]
    table = rng.standard_normal((64, 1024), dtype=np.float32)
    coarse = rng.standard_normal((48, 160), dtype=np.float32)
    if person.hair.style in ("curly", "buzz"):
        fine = _sample(table, angle * (1024 / (2 * np.pi) * 0.8), down * 70)
        return 0.8 * fine + 0.7 * _sample(coarse, angle * 30, down * 14)
    angle += 0.05 * person.hair.wave * np.sin(down * 5 + 3 * angle)
    fine = _sample(table, angle * (1024 / (2 * np.pi) * 1.6), down * 3)
    return 0.75 * fine + 0.8 * _sample(coarse, angle * (160 / (2 * np.pi) * 1.3), down * 2)


def _sample(table: Floats, x: Floats, y: Floats) -> Floats:
    """Bilinear look-up that wraps around both ways."""
    rows, columns = table.shape
    left, top = np.floor(x), np.floor(y)
    right_share, low_share = x - left, y - top
    column, row = left.astype(np.int64) % columns, top.astype(np.int64) % rows
    # A row and a column more than the table has: the neighbour needs no second remainder.
    wrapped = np.pad(table, ((0, 1), (0, 1)), mode="wrap").reshape(-1)
    cell = row * (columns + 1) + column
    upper, lower = wrapped.take(cell), wrapped.take(cell + (columns + 1))
    upper += right_share * (wrapped.take(cell + 1) - upper)
    lower += right_share * (wrapped.take(cell + (columns + 2)) - lower)
    return np.asarray(upper + low_share * (lower - upper), np.float32)


def _lumps(base: Floats, rng: np.random.Generator) -> Floats:
    waves = rng.normal(0, 1, (6, 3)) * [5.0, 5.0, 5.0]
    phases = rng.uniform(0, 2 * np.pi, 6)
    return np.asarray(np.sin(base @ waves.T + phases).sum(1) / 3, np.float32)


def _with_curtain(mesh: HairMesh, person: Person) -> HairMesh:
    """Add a hanging sheet from temple to temple around the back."""
    across, along = 72, 18
    hair = person.hair
    angle = np.radians(np.linspace(66, 294, across))[None, :]
    drop = np.linspace(0, 1, along)[:, None]
    half = (
        float(np.abs(person.vertices[person.vertices[:, 1] > 7.0, 0]).max())
        + 0.06
        + 0.5 * hair.thickness
    )
    back = float(person.vertices[person.vertices[:, 1] > 7.0, 2].min()) - 0.5 * hair.thickness
    centre = 0.45
    top = 7.8
    low = top - 1.15 - hair.length * (0.75 + 0.25 * np.abs(np.sin(angle / 2)))
    y = top + (low - top) * drop
    wave = 0.035 * hair.wave * np.sin(9 * drop * hair.length + 5 * angle) * drop
    spread = 0.84 + 0.2 * drop**0.5 + wave
    x = half * np.sin(angle) * spread
    z = centre + np.where(np.cos(angle) > 0, 0.42, centre - back) * np.cos(angle) * spread
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    row, column = np.meshgrid(np.arange(along - 1), np.arange(across - 1), indexing="ij")
    first = (row * across + column).reshape(-1)
    quads = np.stack([first, first + 1, first + across + 1, first + across], axis=1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]) + len(mesh.vertices)
    fade = np.broadcast_to(1 + drop, (along, across)).reshape(-1)
    return HairMesh(
        np.concatenate([mesh.vertices, points]),
        np.concatenate([mesh.base, points]),
        np.concatenate([mesh.triangles, triangles.astype(np.int32)]),
        np.concatenate([mesh.curtain, fade.astype(np.float32)]),
    )
