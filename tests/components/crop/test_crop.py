"""Crop finds the labelled face, measures it, and says why where it cannot."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from components.crop import CropParams, crop_faces
from support.heads import rendered
from vultus.contracts.faces import FACE_SCHEMA, QUARANTINE_SCHEMA, FaceCrops, RawFaces
from vultus.faces.picture import decode_image, encode_jpeg
from vultus.storage import FolderStore


def raw_of(
    folder: Path,
    store: FolderStore,
    pictures: list[np.ndarray],
    *,
    subjects: tuple[str, ...] = (),
    splits: tuple[str, ...] = (),
    qualities: tuple[int, ...] = (),
) -> Path:
    rows = []
    for index, image in enumerate(pictures):
        data = encode_jpeg(image, qualities[index] if qualities else 95)
        rows.append(
            {
                "image_sha256": store.put(data),
                "subject": subjects[index] if subjects else f"s{index}",
                "split": splits[index] if splits else "train",
                "presentation": "bona_fide",
                "species": None,
                "simulated": False,
                "simulation": None,
                "source": "test",
                "licence": "CC0-1.0",
                "width": image.shape[1],
                "height": image.shape[0],
                "bytes": len(data),
                "captured_at": None,
                "attributes": [("glasses", "no")],
            }
        )
    RawFaces.write(
        folder,
        faces=pa.Table.from_pylist(rows, FACE_SCHEMA),
        quarantine=QUARANTINE_SCHEMA.empty_table(),
        made_by="test",
        facts={},
    )
    return folder


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
