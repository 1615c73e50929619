"""A picture is cut once: kills, growth, copies, lost crops, and what is kept no longer."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.crop import CropParams, CropReport, crop_faces
from components.crop.kept import Kept
from components.ingest import IngestParams, ingest_faces
from support.faces_on_disk import write_people
from support.heads import rendered, weights_folder
from support.raw_faces import raw_of
from support.tree import CHECKOUT
from vultus.contracts.faces import FaceCrops
from vultus.faces.picture import encode_jpeg
from vultus.storage import FolderStore


class CountingStore(FolderStore):
    """Counts the pictures that are asked for, which are those that are unpacked."""

    read = 0

    def get(self, sha256: str) -> bytes:
        self.read += 1
        return super().get(sha256)


def cropped(home: Path, name: str, raw: Path, params: CropParams | None = None) -> CropReport:
    return crop_faces(
        raw,
        home / name,
        params or CropParams(),
        store=FolderStore(home / "store"),
        kept=home / "crop",
    )


def taken(source: Path, home: Path, name: str) -> Path:
    """The source as RawFaces, each picture with a replay and a recapture."""
    ingest_faces(
        home / name,
        IngestParams(source=str(source), print_share=0, mask_share=0, tight_share=0),
        store=FolderStore(home / "store"),
        pseudonym_key=b"k" * 32,
        weights=weights_folder(),
        journals=home / "ingest",
    )
    return home / name


@pytest.mark.slow
def test_of_a_grown_source_only_new_pictures_are_unpacked(tmp_path: Path) -> None:
    home, source = tmp_path / "home", write_people(tmp_path / "people", people=10, images=3)
    first = cropped(home, "first", taken(source, home, "raw-first"))
    assert (first.cut, first.known) == (first.pictures, 0)
    write_people(tmp_path / "more", people=14, images=3)
    for person in (10, 11, 12):
        shutil.copytree(tmp_path / "more" / f"person-{person}", source / f"person-{person}")
    # One picture of somebody who is known: the new rows do not all come last.
    shutil.copy(tmp_path / "more" / "person-13" / "0.jpg", source / "person-0" / "new.jpg")
    raw = taken(source, home, "raw-grown")
    store = CountingStore(home / "store")
    grown = crop_faces(raw, home / "grown", CropParams(), store=store, kept=home / "crop")
    assert store.read == grown.cut == grown.pictures - first.pictures >= 10
    assert {"cut": grown.cut, "known": first.pictures}.items() <= grown.summary().items()
    again = crop_faces(raw, home / "again", CropParams(), store=store, kept=home / "crop")
    assert (again.cut, store.read) == (0, grown.cut)
    afresh = crop_faces(raw, home / "afresh", CropParams(), store=store)
    assert afresh.cut == afresh.pictures == grown.pictures
    manifests = [FaceCrops.open(home / name).manifest for name in ("grown", "again", "afresh")]
    assert manifests[0] == manifests[1] == manifests[2]


def test_rows_are_refused_as_before_when_nothing_is_cut_again(tmp_path: Path) -> None:
    """Near duplicates are judged over the whole table, whatever was cut when."""
    store = FolderStore(tmp_path / "store")
    one, other, empty = rendered(0).image, rendered(1).image, np.full((200, 200, 3), 90, np.uint8)
    first = raw_of(tmp_path / "raw-first", store, [one, empty])
    assert cropped(tmp_path, "first", first).quarantined == {"no_face": 1}
    raw = raw_of(
        tmp_path / "raw",
        store,
        [one, empty, one, other],
        subjects=("s0", "s1", "s0", "s3"),
        splits=("train", "train", "test", "train"),
        qualities=(95, 95, 60, 95),
    )
    report = cropped(tmp_path, "grown", raw)
    assert (report.cut, report.known, report.faces) == (2, 2, 2)
    assert report.quarantined == {"no_face": 1, "near_duplicate_across_splits": 1}
    afresh = crop_faces(raw, tmp_path / "afresh", CropParams(), store=store)
    assert afresh.digest == report.digest
    stricter = CropParams(near_duplicate_bits=0)
    assert cropped(tmp_path, "stricter", raw, stricter).cut == 0
    assert cropped(tmp_path, "smaller", raw, CropParams(context_max_px=128)).cut == 4


def test_a_picture_that_stands_in_many_rows_is_cut_once(tmp_path: Path) -> None:
    store = CountingStore(tmp_path / "store")
    raw = raw_of(
        tmp_path / "raw", store, [rendered(n % 2).image for n in range(10)], subjects=("s",) * 10
    )
    report = crop_faces(raw, tmp_path / "crops", CropParams(), store=store)
    assert (report.cut, report.known, report.faces, store.read) == (2, 8, 10, 2)
    rows = FaceCrops.open(tmp_path / "crops").crops.to_pylist()
    assert [row["chip_sha256"] for row in rows] == [rows[n % 2]["chip_sha256"] for n in range(10)]


def test_a_picture_whose_crops_are_lost_is_cut_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    raw = raw_of(tmp_path / "raw", store, [rendered(n).image for n in range(3)])
    first = cropped(tmp_path, "first", raw)
    for pack in (tmp_path / "store" / "packs").iterdir():
        pack.unlink()
    again = cropped(tmp_path, "again", raw)
    assert (again.cut, again.digest) == (3, first.digest)
    chips = FaceCrops.open(tmp_path / "again").crops["chip_sha256"].to_pylist()
    assert FolderStore(tmp_path / "store").has_many(chips).all()
    assert cropped(tmp_path, "third", raw).cut == 0


@pytest.mark.parametrize("harm", ["cut", "zeroed"])
def test_a_part_that_is_unreadable_is_made_again(tmp_path: Path, harm: str) -> None:
    store = FolderStore(tmp_path / "store")
    raw = raw_of(tmp_path / "raw", store, [rendered(n).image for n in range(2)])
    first = cropped(tmp_path, "first", raw)
    (part,) = tmp_path.glob("crop/*/part-*")
    data = part.read_bytes()
    part.write_bytes(data[:-50] if harm == "cut" else data[:200] + bytes(100) + data[300:])
    again = cropped(tmp_path, "again", raw)
    assert (again.cut, again.digest) == (2, first.digest)


def test_what_nobody_will_ask_for_is_not_kept(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    for number in range(3):
        raw = raw_of(tmp_path / f"raw-{number}", store, [rendered(number).image])
        cropped(tmp_path, f"crops-{number}", raw)
    (folder,) = (tmp_path / "crop").iterdir()
    parts = sorted(folder.glob("part-*"), key=lambda file: file.stat().st_mtime_ns)
    long_ago = time.time() - 31 * 24 * 3600
    os.utime(parts[0], (long_ago, long_ago))
    other_code = tmp_path / "crop" / f"{'0' * 16}-{folder.name.partition('-')[2]}"
    shutil.copytree(folder, other_code)
    assert cropped(tmp_path, "again", tmp_path / "raw-2").cut == 0
    assert set(folder.glob("part-*")) == set(parts[1:])
    assert not other_code.exists()
    assert cropped(tmp_path, "once-more", tmp_path / "raw-0").cut == 1


def test_a_folder_that_another_run_reads_is_left_alone(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    raw = raw_of(tmp_path / "raw", store, [rendered(0).image])
    cropped(tmp_path, "first", raw)
    kept = Kept.below(tmp_path / "crop", CropParams())
    (part,) = kept.files()
    with kept.shared():
        os.utime(part, (0, 0))
        kept.clean()
        assert part.exists()
        assert cropped(tmp_path, "beside", raw).cut == 0
    os.utime(part, (0, 0))
    kept.clean()
    assert not part.exists()


def test_many_small_parts_become_one(tmp_path: Path) -> None:
    kept = Kept.below(tmp_path, CropParams())
    with kept.shared():
        for number in range(70):
            row = {"image_sha256": f"{number % 67:064x}"[::-1], "reason": "no_face", "detail": "-"}
            kept.keep([row, {**row, "image_sha256": "f" * 64}])
    assert len(kept.files()) == 67
    kept.clean()
    (part,) = kept.files()
    keys = np.unique(
        np.concatenate([table["picture"].to_numpy() for table in kept.stream(["picture"])])
    )
    assert len(keys) == 68
    assert part.exists()


@pytest.mark.slow
def test_a_run_killed_at_any_place_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    raw = raw_of(tmp_path / "raw", store, [rendered(n).image for n in range(24)])
    kept, out = tmp_path / "crop", tmp_path / "crops"
    running = subprocess.Popen(_cropping(raw, out, tmp_path / "store", kept), cwd=CHECKOUT)
    _wait_for(lambda: len(list(kept.glob("*/part-*"))) >= 3, running)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not out.exists()
    # A file is cut, as a machine that lost its power may leave it.
    sorted(kept.glob("*/part-*"))[-1].write_bytes(b"ARROW1")
    subprocess.run(_cropping(raw, out, tmp_path / "store", kept), cwd=CHECKOUT, check=True)
    subprocess.run(
        _cropping(raw, tmp_path / "calm", tmp_path / "store", tmp_path / "other"),
        cwd=CHECKOUT,
        check=True,
    )
    assert FaceCrops.open(out).manifest == FaceCrops.open(tmp_path / "calm").manifest


@pytest.mark.slow
def test_finished_parts_are_not_made_again(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    images = [rendered(n).image for n in range(6)]
    raw = raw_of(tmp_path / "raw", store, images)
    kept, out = tmp_path / "crop", tmp_path / "crops"
    last = tmp_path / "store" / _place(store, images[5])
    hidden = last.read_bytes()
    last.unlink()
    failed = subprocess.run(
        _cropping(raw, out, tmp_path / "store", kept),
        cwd=CHECKOUT,
        capture_output=True,
        check=False,
    )
    assert b"BadArtifact" in failed.stderr
    first = tmp_path / "store" / _place(store, images[0])
    first.unlink()  # whoever read it again would fail
    last.write_bytes(hidden)
    subprocess.run(_cropping(raw, out, tmp_path / "store", kept), cwd=CHECKOUT, check=True)
    assert len(FaceCrops.open(out).crops) == 6


def _place(store: FolderStore, image: np.ndarray) -> Path:
    digest = store.put(encode_jpeg(image, 95))
    return Path(digest[:2], digest[2:4], digest)


def _cropping(raw: Path, out: Path, store: Path, kept: Path) -> list[str]:
    """A process of its own, with parts of two pictures."""
    code = (
        "import sys; from pathlib import Path\n"
        "from components.crop import CropParams, crop_faces, step\n"
        "from vultus.storage import FolderStore\n"
        "step._CHUNK, step._CHUNKS_A_PART = 2, 1\n"
        "raw, out, store, kept = map(Path, sys.argv[1:])\n"
        "crop_faces(raw, out, CropParams(), store=FolderStore(store), kept=kept)\n"
    )
    return [sys.executable, "-c", code, *map(str, (raw, out, store, kept))]


def _wait_for(condition: Callable[[], bool], running: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + 120
    while not condition():
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < give_up
        time.sleep(0.01)
