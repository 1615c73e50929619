"""What a record names is on the disk before the record, whatever happens to the power."""

import os
from pathlib import Path

import pytest

from vultus.contracts.artifact import MANIFEST, Artifact


class Held(Artifact):
    """Any artifact will do."""

    SCHEMA = "Held"


class Disk:
    """What was waited for, and what was moved where, in order; sizes as they were then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[tuple[str, str, int]] = []
        sync, replace = os.fsync, os.replace

        def synced(handle: int) -> None:
            sync(handle)
            place = Path(f"/proc/self/fd/{handle}").readlink()
            size = -1 if place.is_dir() else place.stat().st_size
            self.told.append(("synced", str(place), size))

        def replaced(source: Path, target: Path) -> None:
            replace(source, target)
            self.told.append(("moved", str(source), -1))

        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", replaced)


def test_files_come_before_the_manifest_and_the_manifest_before_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(folder: Path) -> None:
        (folder / "faces").mkdir()
        (folder / "faces" / "part").write_bytes(os.urandom(70_000))
        (folder / "report.html").write_text("<p>")

    disk = Disk(monkeypatch)
    made = Held.create(tmp_path / "out", fill, made_by="test")
    partial = next(place for what, place, _ in disk.told if what == "moved")
    steps = [(what, place.removeprefix(partial), size) for what, place, size in disk.told]
    manifest = (made.path / MANIFEST).stat().st_size
    named, moved = steps.index(("synced", f"/{MANIFEST}", manifest)), steps.index(("moved", "", -1))
    before = {(place, size) for _, place, size in steps[:named]}
    assert before >= {("/faces/part", 70_000), ("/report.html", 3), ("/faces", -1), ("", -1)}
    assert steps[named + 1 : moved] == [("synced", "", -1)], "the manifest's own name"
    assert steps[moved + 1 :] == [("synced", str(tmp_path), -1)], "the artifact's name"
    assert Held.open(tmp_path / "out").digest == made.digest
