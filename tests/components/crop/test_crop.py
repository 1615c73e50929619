"""Crop finds the labelled face, measures it, and says why where it cannot."""

from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.crop import CropParams, crop_faces
from components.crop.enrolment import RAW_COLUMNS, enrolment
from support.heads import rendered
from support.raw_faces import raw_of
from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA, FaceCrops, RawFaces
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.storage import FolderStore


def test_faces_are_cut_and_the_rest_is_accounted_for(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    one, two = rendered(0), rendered(1)
    pair = np.concatenate([one.image, two.image], axis=1)
    empty = np.full((200, 200, 3), 90, np.uint8)
    raw = raw_of(tmp_path / "raw", store, [one.image, pair, empty])
    report = crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    crops = FaceCrops.open(tmp_path / "crops")
    assert (report.pictures, report.faces) == (3, 1)
    assert report.quarantined == {"several_faces": 1, "no_face": 1}
    row = crops.crops.to_pylist()[0]
    chip = decode_image(store.get(row["chip_sha256"]))
    assert chip.shape == (112, 112, 3)
    landmarks = np.array(row["landmarks"]).reshape(5, 2)
    eyes = np.hypot(*(one.landmarks[1] - one.landmarks[0]))
    assert np.linalg.norm(landmarks - one.landmarks, axis=1).mean() < 0.15 * eyes
    context = decode_image(store.get(row["context_sha256"]))
    assert max(context.shape[:2]) <= 384
    assert 0 <= row["quality_unified"] <= 100
    assert crops.manifest.facts["raw_digest"] == RawFaces.open(raw).digest
    assert crops.manifest.facts["people"] == {"offered": 3, "enrolled": 1}


def test_people_are_lost_to_capture_not_to_attacks_or_duplicates() -> None:
    """anna has one good picture of two, berta a bad one, carla none; dora was only attacked."""
    rows = [("anna", 9.0), ("anna", 70.0), ("berta", 9.0), ("carla", None), ("dora", 70.0)]
    table = pa.table(
        {
            "subject": [name for name, _ in rows],
            "presentation": ["attack" if name == "dora" else "bona_fide" for name, _ in rows],
            "simulated": [name == "dora" for name, _ in rows],
            "quality_unified": [quality for _, quality in rows],
        }
    )
    cut = table.filter(pc.is_valid(table["quality_unified"]))
    found = enrolment([table.select(RAW_COLUMNS)], [cut.slice(0, 2), cut.slice(2)])
    assert found == {"offered": 3, "enrolled": 1}


def test_a_face_that_fills_the_picture_is_found(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    made = rendered(2)
    x1, y1, x2, y2 = made.box.astype(int)
    tight = made.image[y1:y2, x1:x2]
    raw = raw_of(tmp_path / "raw", store, [np.ascontiguousarray(tight)])
    crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    assert FaceCrops.open(tmp_path / "crops").crops.to_pylist()[0]["context_kind"] == "tight"


def saved_twice(folder: Path, store: FolderStore, subjects: tuple[str, ...]) -> Path:
    """One picture in train and, as another file, in test; and one of somebody else."""
    one, other = rendered(0).image, rendered(1).image
    splits, qualities = ("train", "test", "train"), (95, 60, 95)
    return raw_of(
        folder, store, [one, one, other], subjects=subjects, splits=splits, qualities=qualities
    )


def test_one_picture_saved_twice_never_lies_in_two_splits(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    raw = saved_twice(tmp_path / "raw", store, ("anna", "anna", "berta"))
    report = crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    crops = FaceCrops.open(tmp_path / "crops")
    assert crops.crops["split"].to_pylist() == ["test", "train"]
    assert crops.crops["subject"].to_pylist() == ["anna", "berta"]
    assert report.quarantined == {"near_duplicate_across_splits": 1}
    assert crops.manifest.facts["pictures"] == 3
    first = RawFaces.open(raw).faces["image_sha256"][0].as_py()
    assert crops.quarantine["origin"].to_pylist() == [first]


def test_one_picture_under_two_subjects_is_refused_under_both(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    raw = saved_twice(tmp_path / "raw", store, ("anna", "carla", "berta"))
    report = crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    assert FaceCrops.open(tmp_path / "crops").crops["subject"].to_pylist() == ["berta"]
    assert report.quarantined == {"near_duplicate_two_identities": 2}
    people = FaceCrops.open(tmp_path / "crops").manifest.facts["people"]
    assert people == {"offered": 3, "enrolled": 3}  # acquired, and left out for another reason


def test_what_cannot_be_unpacked_goes_to_quarantine(tmp_path: Path) -> None:
    """Ingest reads headers alone; the pixels are unpacked here first."""
    store = FolderStore(tmp_path / "store")
    image = rendered(0).image
    raw = raw_of(
        tmp_path / "raw", store, [image, image[::-1], np.ascontiguousarray(image[::2, ::2])]
    )
    faces = RawFaces.open(raw)
    rows = faces.faces.to_pylist()
    good = encode_jpeg(image, 95)
    broken = good[:300] + bytes(len(good) - 302) + good[-2:]  # header and end marker, no pixels
    rows[1]["image_sha256"] = store.put(b"\xff\xd8\xff\xe0 no frame header \xff\xd9")
    rows[2]["image_sha256"] = store.put(broken)
    RawFaces.write(
        raw,
        faces=pa.Table.from_pylist(rows, FACE_SCHEMA),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
        made_by="test",
        facts={},
    )
    report = crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    refused = FaceCrops.open(tmp_path / "crops").quarantine.to_pylist()
    assert report.faces == 1
    assert len(refused) == 2
    assert refused[0] == {
        "origin": rows[1]["image_sha256"],
        "reason": "bad_image",
        "detail": refused[0]["detail"],
    }


def test_a_large_jpeg_is_unpacked_smaller_and_reported_in_its_own_pixels(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    made = rendered(0)
    large = cv2.resize(made.image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    raw = raw_of(tmp_path / "raw", store, [np.asarray(large, np.uint8)])
    rows = {}
    for side in (0, 256):
        params = CropParams(reduced_side_px=side)
        crop_faces(raw, tmp_path / f"crops-{side}", params, store=store)
        (rows[side],) = FaceCrops.open(tmp_path / f"crops-{side}").crops.to_pylist()
    eyes = 4 * float(np.hypot(*(made.landmarks[1] - made.landmarks[0])))
    full, reduced = (np.array(rows[side]["landmarks"]).reshape(5, 2) for side in (0, 256))
    assert np.linalg.norm(full - reduced, axis=1).mean() < 0.06 * eyes
    chips = [decode_image(store.get(rows[side]["chip_sha256"])).astype(int) for side in (0, 256)]
    assert np.abs(chips[0] - chips[1]).mean() < 12
    contexts = [decode_image(store.get(rows[side]["context_sha256"])) for side in (0, 256)]
    assert contexts[0].shape[0] > contexts[1].shape[0] == 256


def test_a_face_too_small_for_a_sharp_context_is_refused_not_softened(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    one = np.full((1024, 1024, 3), 120, np.uint8)
    one[300:556, 300:556] = rendered(0).image
    face = rendered(0).image
    big = cv2.resize(face, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    raw = raw_of(tmp_path / "raw", store, [one, np.asarray(big, np.uint8)])
    crop_faces(raw, tmp_path / "crops", CropParams(reduced_side_px=512), store=store)
    crops = FaceCrops.open(tmp_path / "crops")
    assert [row["reason"] for row in crops.quarantine.to_pylist()] == ["small_face"]
    assert len(crops.crops) == 1
