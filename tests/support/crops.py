"""FaceCrops of drawn faces, for tests of whatever follows the crop step.

Oval heads with a skin texture and features of their own per subject; an attack presentation is the
same scene with a screen grid (replay), a halftone (print) or a uniform skin with eye holes (mask).
Nothing here resembles a person; it is the records, the bytes and the splits that are real.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from vultus.contracts.arrays import RgbImage
from vultus.contracts.faces import (
    CROP_SCHEMA,
    FACE_SCHEMA,
    QUARANTINE_SCHEMA,
    FaceCrops,
    RawFaces,
)
from vultus.contracts.seams import Store
from vultus.contracts.words import (
    QUALITY_COMPONENTS,
    ContextKind,
    Presentation,
    Species,
    Split,
)

SCENE_PX = 192
CHIP_PX = 112
SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)
_SPECIES = tuple(Species)
# Eyes, nose, mouth corners in a 112 px chip (the ArcFace template, rounded: drawn faces are exact).
_POINTS = np.array([[38, 52], [74, 52], [56, 72], [42, 92], [71, 92]], np.float32)


@dataclass(frozen=True)
class _Look:
    """What makes one drawn subject differ from the next."""

    skin: np.ndarray  # float32 [3], RGB
    iris: np.ndarray
    texture: np.ndarray  # float32 [112, 112], about ±1
    width: float
    mouth: int


def make_crops(
    folder: Path,
    store: Store,
    *,
    subjects: int = 6,
    images: int = 4,
    attacks: bool = True,
    seed: int = 0,
    raw: Path | None = None,
) -> Path:
    """Write a FaceCrops artifact to `folder` and its pictures to `store`.

    Args:
        subjects: they go to train, validation, test in turn, so 6 gives two to each.
        images: bona fide images a subject; every fourth is tight (room < 1.15).
        attacks: one attack presentation for each bona fide image, species in turn.
        seed: another seed draws other people.
        raw: where the RawFaces that they would have been cut from go, if wanted.
    Returns: `folder`.
    """
    rows: list[dict[str, Any]] = []
    for person in range(subjects):
        look = _look(np.random.default_rng([seed, person]))
        for number in range(images):
            rng = np.random.default_rng([seed, person, number])
            scene, box = _scene(look, rng, tight=number % 4 == 3)
            shown: list[tuple[Species | None, RgbImage]] = [(None, scene)]
            if attacks:
                species = _SPECIES[(person + number) % len(_SPECIES)]
                shown.append((species, _attacked(scene, species, rng)))
            rows += [_row(store, image, box, species, person, seed) for species, image in shown]
    crops = pa.Table.from_pylist(rows, schema=CROP_SCHEMA)
    nothing = QUARANTINE_SCHEMA.empty_table()
    raw_digest = "0" * 64
    if raw is not None:
        faces = crops.select(FACE_SCHEMA.names)
        made_by = "tests/support/crops"
        raw_digest = RawFaces.write(
            raw, faces=faces, quarantine=nothing, made_by=made_by, facts={}
        ).digest
    FaceCrops.write(
        folder,
        crops=crops,
        quarantine=nothing,
        made_by="tests/support/crops",
        facts={"raw_digest": raw_digest, "params": {"seed": seed}, "pictures": len(rows)},
    )
    return folder


def draw_scene(
    person: int, number: int = 1, *, seed: int = 0, tight: bool = False
) -> tuple[RgbImage, tuple[int, int, int, int]]:
    """One photograph of a drawn subject: uint8 [192, 192, 3], and the face box in it."""
    look = _look(np.random.default_rng([seed, person]))
    return _scene(look, np.random.default_rng([seed, person, number]), tight=tight)


def _look(rng: np.random.Generator) -> _Look:
    coarse = rng.normal(size=(7, 7)).astype(np.float32)
    return _Look(
        skin=rng.uniform((120, 80, 60), (235, 190, 170)).astype(np.float32),
        iris=rng.uniform(20, 120, 3).astype(np.float32),
        texture=cv2.resize(coarse, (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_CUBIC),
        width=float(rng.uniform(0.34, 0.44)),
        mouth=int(rng.integers(2, 7)),
    )


def _chip(look: _Look) -> RgbImage:
    face = look.skin + 14.0 * look.texture[..., None]
    for x, y in _POINTS[:2].astype(int):
        cv2.ellipse(face, (int(x), int(y)), (9, 5), 0, 0, 360, (240, 240, 240), -1)
        cv2.circle(face, (int(x), int(y)), 4, look.iris.tolist(), -1)
    cv2.circle(face, _POINTS[2].astype(int).tolist(), 5, (0.8 * look.skin).tolist(), -1)
    left, right = _POINTS[3].astype(int).tolist(), _POINTS[4].astype(int).tolist()
    cv2.line(face, left, right, (150.0, 50.0, 60.0), look.mouth)
    return np.clip(face, 0, 255).astype(np.uint8)


def _scene(
    look: _Look, rng: np.random.Generator, *, tight: bool
) -> tuple[RgbImage, tuple[int, int, int, int]]:
    """One photograph: uint8 [192, 192, 3] and the face box in it."""
    side = 176 if tight else int(rng.integers(56, 80))
    x, y = (int(v) for v in rng.integers(2, SCENE_PX - side - 2, 2))
    ramp = np.linspace(0.6, 1.1, SCENE_PX, dtype=np.float32)[:, None, None]
    scene = rng.uniform(40, 200, 3).astype(np.float32) * ramp * np.ones((1, SCENE_PX, 1))
    oval = np.zeros((side, side, 1), np.float32)
    axes = (int(look.width * side), int(0.49 * side))
    cv2.ellipse(oval, (side // 2, side // 2), axes, 0, 0, 360, 1.0, -1)
    face = cv2.resize(_chip(look), (side, side), interpolation=cv2.INTER_AREA)
    region = scene[y : y + side, x : x + side]
    scene[y : y + side, x : x + side] = oval * face + (1 - oval) * region
    scene = scene * rng.uniform(0.75, 1.15) + rng.normal(0, 2.5, scene.shape)
    return np.clip(scene, 0, 255).astype(np.uint8), (x, y, x + side, y + side)


def _attacked(scene: RgbImage, species: Species, rng: np.random.Generator) -> RgbImage:
    rows, columns = np.mgrid[0:SCENE_PX, 0:SCENE_PX].astype(np.float32)
    image = scene.astype(np.float32)
    pitch = float(rng.uniform(2.6, 3.4))
    if species is Species.REPLAY:
        grid = np.sin(2 * np.pi * columns / pitch) * np.sin(2 * np.pi * rows / pitch)
        image = image * (0.85 + 0.2 * grid[..., None]) + (0, 4, 22)
    elif species is Species.PRINT:
        dots = np.sin(2 * np.pi * (rows + columns) / pitch) * np.sin(
            2 * np.pi * (rows - columns) / pitch
        )
        image = 40 + 0.7 * image + 22 * dots[..., None]
    else:
        flat = cv2.bilateralFilter(scene, 9, 60, 9).astype(np.float32)
        image = 0.5 * flat + 0.5 * flat.mean(axis=(0, 1))
    return np.clip(image, 0, 255).astype(np.uint8)


def _row(
    store: Store,
    image: RgbImage,
    box: tuple[int, int, int, int],
    species: Species | None,
    person: int,
    seed: int,
) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    side = x2 - x1
    chip = cv2.resize(image[y1:y2, x1:x2], (CHIP_PX, CHIP_PX), interpolation=cv2.INTER_AREA)
    data = _jpeg(image)
    sha256 = store.put(data)
    tight = SCENE_PX / side < 1.15
    return {
        "image_sha256": sha256,
        "phash": int(sha256[:16], 16),
        "face_index": 0,
        "subject": f"drawn-{seed}-{person:03d}",
        "split": SPLITS[person % len(SPLITS)].value,
        "presentation": (Presentation.BONA_FIDE if species is None else Presentation.ATTACK).value,
        "species": None if species is None else species.value,
        "simulated": species is not None,
        "simulation": None if species is None else '{"drawn": true}',
        "source": "drawn",
        "licence": "CC0-1.0",
        "width": SCENE_PX,
        "height": SCENE_PX,
        "bytes": len(data),
        "captured_at": None,
        "attributes": [("sex", "female" if person % 2 else "male")],
        "box": [float(v) for v in box],
        "landmarks": ((_POINTS * side / CHIP_PX) + (x1, y1)).ravel().tolist(),
        "detection_score": 0.99,
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        **{f"quality_{name}": 75.0 for name in QUALITY_COMPONENTS},
        "ita_deg": 30.0,
        "chip_sha256": store.put(_jpeg(chip)),
        "context_sha256": sha256,
        "context_box": [float(v) for v in box],
        "context_kind": (ContextKind.TIGHT if tight else ContextKind.FULL).value,
    }


def _jpeg(image: RgbImage) -> bytes:
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert done
    return data.tobytes()
