"""What was taken once is not lost and not read again: kills, growth, lost bytes, a full disk."""

import hashlib
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.soak_ingest import draw_files, killed_often
from components.ingest import IngestParams, IngestReport, ingest_faces
from components.ingest.journal import Journal
from support.heads import weights_folder
from vultus.contracts.faces import RawFaces
from vultus.errors import BadParameter
from vultus.storage import FolderStore

KEY = b"k" * 32
SAME_ROWS = "14d770b5c2e8e73484b21c4f8bb2a51a606197531487bb8250339a9eaec137f8"
NOTHING = {f"{name}_share": 0.0 for name in ("print", "replay", "mask", "recapture", "tight")}


def take(source: Path, home: Path, out: str = "raw", processes: int = 1) -> IngestReport:
    return ingest_faces(
        home / out,
        IngestParams.model_validate({"source": str(source), **NOTHING}),
        store=FolderStore(home / "store"),
        pseudonym_key=KEY,
        weights=weights_folder(),
        journals=home / "ingest",
        processes=processes,
    )


@pytest.mark.slow
def test_a_killed_ingest_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    found = killed_often(tmp_path, files=200, kills=2, seed=5)
    assert found["same_data_version"]
    assert found["rows"] == found["pictures_read_back"] == 200


def test_a_source_that_grew_is_read_only_where_it_is_new(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    first = take(source, tmp_path / "home")
    before = RawFaces.open(tmp_path / "home" / "raw").faces.to_pylist()
    assert (first.read, first.known) == (40, 0)
    draw_files(source / "subject-00000" / "more", 20, seed=2)
    grown = take(source, tmp_path / "home", "grown")
    assert (grown.read, grown.known) == (20, 40)
    assert {"read": 20, "known": 40}.items() <= grown.summary().items()
    after = RawFaces.open(tmp_path / "home" / "grown").faces.to_pylist()
    assert len(after) == 60
    assert {row["image_sha256"]: row["split"] for row in before}.items() <= {
        row["image_sha256"]: row["split"] for row in after
    }.items()
    afresh = take(source, tmp_path / "another")
    assert afresh.digest == grown.digest


def test_what_left_the_source_leaves_the_table(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    take(source, tmp_path / "home")
    (source / "subject-00001" / "003.jpg").unlink()
    shrunk = take(source, tmp_path / "home", "shrunk")
    assert (shrunk.read, shrunk.images) == (0, 39)


def test_bytes_that_the_store_lost_are_read_again(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    whole = take(source, tmp_path / "home")
    packs = sorted((tmp_path / "home" / "store" / "packs").glob("*.pack"))
    packs[0].unlink()
    healed = take(source, tmp_path / "home", "healed")
    assert 0 < healed.read < 40
    assert healed.digest == whole.digest


@pytest.mark.parametrize("harm", ["torn", "zeroed_tail", "zeroed_middle", "empty"])
def test_a_part_of_the_journal_that_is_unreadable_is_read_again(tmp_path: Path, harm: str) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    whole = take(source, tmp_path / "home")
    part, *others = sorted((tmp_path / "home" / "ingest").rglob("part-*"))
    assert len(others) >= 2
    held = part.read_bytes()
    third = len(held) // 3
    harmed = {
        "torn": held[: 2 * third],
        "zeroed_tail": held[: 2 * third] + bytes(len(held) - 2 * third),
        "zeroed_middle": held[:third] + bytes(40) + held[third + 40 :],
        "empty": b"",
    }
    part.write_bytes(harmed[harm])
    healed = take(source, tmp_path / "home", "healed")
    assert 0 < healed.read < 40
    assert healed.digest == whole.digest
    assert take(source, tmp_path / "home", "again").read == 0


@pytest.mark.parametrize("harm", [lambda held: held[:-5], lambda held: held[:-44] + bytes(44)])
def test_an_index_of_the_store_that_is_torn_is_written_again(
    tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    whole = take(source, tmp_path / "home")
    index = next((tmp_path / "home" / "store" / "packs").glob("*.idx"))
    index.write_bytes(harm(index.read_bytes()))
    healed = take(source, tmp_path / "home", "healed")
    assert 0 < healed.read < 40
    assert healed.digest == whole.digest
    store = FolderStore(tmp_path / "home" / "store")
    rows = RawFaces.open(tmp_path / "home" / "healed").faces["image_sha256"].to_pylist()
    assert all(store.get(digest) for digest in rows)


def test_what_the_journal_names_is_on_the_disk_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = draw_files(tmp_path / "source", 8, seed=1)
    told: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink()
        told.append("folder" if name.is_dir() else "bytes")
        sync(handle)

    def replaced(self: Path, target: Path) -> Path:
        told.append(target.suffix)
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    take(source, tmp_path / "home")
    first = [".pack", ".idx", ".arrow"]
    assert told[:9] == [word for suffix in first for word in ("bytes", suffix, "folder")]


def test_a_line_that_a_list_repeats_is_a_duplicate(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 20, seed=1)
    listed = source / "list.csv"
    line = "a,subject-00000/{:03d}.jpg\n"
    listed.write_text("subject,path\n" + "".join(line.format(i) for i in [0, 1, 2, 1]))
    report = take(listed, tmp_path / "home")
    assert (report.images, report.quarantined) == (3, {"duplicate": 1})


def test_a_name_never_leaves_the_step(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 40, seed=1)
    (source / "subject-00001" / "subject-00001_7.jpg").write_bytes(b"no picture")
    take(source, tmp_path / "home")
    raw = RawFaces.open(tmp_path / "home" / "raw")
    assert len(raw.quarantine) == 1
    for table in (raw.faces, raw.quarantine):
        assert "subject-0" not in str(table.to_pylist())
    for part in (tmp_path / "home" / "ingest").rglob("part-*"):
        assert b"subject-0" not in part.read_bytes()


def test_two_ingests_of_one_source_do_not_mix(tmp_path: Path) -> None:
    source = draw_files(tmp_path / "source", 20, seed=1)
    params = IngestParams.model_validate({"source": str(source), **NOTHING})
    with (
        Journal.below(tmp_path / "home" / "ingest", params, KEY).held(),
        pytest.raises(BadParameter, match="another ingest"),
    ):
        take(source, tmp_path / "home")


def picture(number: int) -> bytes:
    """A JPEG file of as many bytes as ingest looks at: the frame header and the end marker."""
    frame = b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 40 + number, 30) + b"\x03" + bytes(9)
    return b"\xff\xd8" + b"\xff\xfe\x00\x0a" + number.to_bytes(8, "big") + frame + b"\xff\xd9"


@pytest.mark.parametrize("processes", [1, 2])
def test_the_same_files_give_the_same_rows_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    """The sha256 is of the rows that the step gave before its bytes went by way of blocks."""
    monkeypatch.chdir(tmp_path)
    for number in range(60):
        file = tmp_path / "faces" / f"Person {number % 6}" / f"Person {number % 6}_{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(number))
    for name, held in {
        "0/none.jpg": b"no picture",
        "1/empty.jpg": b"",
        "2/again.jpg": picture(8),
    }.items():
        (tmp_path / "faces" / f"Person {name}").write_bytes(held)
    (tmp_path / "faces" / "Person 3" / "cut.jpg").write_bytes(picture(9)[:-2])
    (tmp_path / "faces" / "Person 4" / "two.jpg").write_bytes(picture(5))
    report = take(Path("faces"), tmp_path / "home", processes=processes)
    assert report.quarantined == {"bad_image": 3, "duplicate": 1, "two_identities": 2}
    raw = RawFaces.open(tmp_path / "home" / "raw")
    rows = json.dumps([raw.faces.to_pylist(), raw.quarantine.to_pylist()], sort_keys=True)
    assert hashlib.sha256(rows.encode()).hexdigest() == SAME_ROWS
