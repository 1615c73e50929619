"""`kaggle:owner/dataset` through the real kagglehub, against a small stand-in of Kaggle's API."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from components.ingest.choice import source_from
from support.pictures import encoded, scene
from support.small_disk import free_bytes, small_disk
from vultus.errors import BadSource, StorageUnavailable

PORT = 7777
"""Where kagglehub's own test environment looks."""
NAMES = ["test/n000009/0001_01.jpg", "train/n000001/0001_01.jpg", "train/n000001/0002_01.jpg"]
NOISE = np.random.default_rng(0).integers(0, 256, (900, 900, 3), dtype=np.uint8)
HELD = {name: encoded(np.roll(NOISE, n, 1), ".png") for n, name in enumerate(NAMES[:2])}
HELD |= {NAMES[2]: encoded(scene())}


class Server(ThreadingHTTPServer):
    """One dataset in version 3; the archive lies behind a redirect and answers ranges, as there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", PORT), _Kaggle)
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as file:
            for name, data in HELD.items():
                file.writestr(name, data)
        self.archive = held.getvalue()
        self.damaged_once = False
        self.cuts: list[int] = []
        self.begun: list[int] = []
        self.delivered = 0


class _Kaggle(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if (asked["ownerSlug"], asked["datasetSlug"]) != ("hearfool", "vggface2"):
            self._answer(404, b'{"code": 404, "message": "not found"}')
        elif self.path.endswith("/DownloadDataset"):
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{PORT}/storage/archive.zip")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(200, b'{"currentVersionNumber": 3}')

    def do_GET(self) -> None:
        archive = self.server.archive
        if self.server.damaged_once:
            self.server.damaged_once = False
            archive = archive[:-30] + bytes(30)
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        # With a part of it on disk kagglehub asks for all, looks at the answer's head alone, and
        # asks again for the rest: the first of the two is none that counts or breaks.
        counts = asked is not None or self.server.delivered == 0
        self.send_response(206 if asked else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/zip")
        self.send_header("Content-Length", str(len(archive) - start))
        self.end_headers()
        body = archive[start:]
        if counts:
            self.server.begun.append(start)
            body = body[: self.server.cuts.pop(0)] if self.server.cuts else body
            self.server.delivered += len(body)
        with suppress(ConnectionError):
            self.wfile.write(body)
        self.close_connection = True

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    try:
        server = Server()
    except OSError as error:
        pytest.skip(f"port {PORT}, where kagglehub's test environment looks, is taken: {error}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("components.ingest.kaggle._FIRST_PAUSE_S", 0.01)
    # In its test environment the client prints every answer, and so reads it whole first.
    client = "kagglesdk.kaggle_http_client.KaggleHttpClient"
    monkeypatch.setattr(f"{client}._print_response", lambda client, response: None)
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def content(weights: Path) -> dict[str, bytes]:
    source = source_from("kaggle:hearfool/vggface2", seed=0, weights=weights)
    return {item.origin: source.read(item) for item in source.items()}


def test_a_dataset_is_downloaded_once_and_offered_by_subject(
    kaggle: Server, tmp_path: Path
) -> None:
    source = source_from("kaggle:hearfool/vggface2?licence=other", seed=0, weights=tmp_path)
    items = list(source.items())
    assert [item.origin for item in items] == NAMES
    assert {item.subject for item in items} == {"n000001", "n000009"}
    assert (source.name, source.licence) == ("kaggle:hearfool/vggface2", "other")
    asked = list(kaggle.begun)
    assert content(tmp_path) == HELD
    assert kaggle.begun == asked, "nothing is fetched twice"


def test_an_unknown_dataset_says_what_to_check(kaggle: Server, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"kaggle:nobody/nothing cannot be had.*KAGGLE_KEY"):
        source_from("kaggle:nobody/nothing", seed=0, weights=tmp_path)


@pytest.mark.slow
def test_a_download_that_breaks_off_goes_on_where_it_was(kaggle: Server, tmp_path: Path) -> None:
    """kagglehub writes 1 MiB at a time: what is less when the line breaks is asked for again."""
    kaggle.cuts = [1_500_000, 0, 1, 1_100_000, 1_100_000]
    assert len(kaggle.archive) > 4 << 20
    assert content(tmp_path) == HELD
    assert [start >> 20 for start in kaggle.begun] == [0, 1, 1, 1, 2, 3]


@pytest.mark.slow
def test_a_download_that_never_comes_is_given_up(kaggle: Server, tmp_path: Path) -> None:
    kaggle.cuts = [0] * 100
    with pytest.raises(BadSource, match="cannot be had"):
        content(tmp_path)
    assert not list((tmp_path / "cache").rglob("*.jpg"))
    kaggle.cuts = []
    assert content(tmp_path) == HELD


def test_a_damaged_archive_is_dropped_and_fetched_again(kaggle: Server, tmp_path: Path) -> None:
    kaggle.damaged_once = True
    assert content(tmp_path) == HELD


def test_a_half_unpacked_dataset_is_never_offered(
    kaggle: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive fits on the disk, what is in it does not; with room the next call finishes it."""
    with small_disk(tmp_path / "disk", 20) as disk:
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(disk / "cache"))
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(free_bytes(disk) - len(kaggle.archive) - 3_000_000))
        with pytest.raises(StorageUnavailable, match=r"no room for kaggle:.*free space"):
            content(tmp_path)
        assert list(disk.rglob("*.jpg")), "something was unpacked before the disk was full"
        ballast.unlink()
        asked = list(kaggle.begun)
        assert content(tmp_path) == HELD
        assert kaggle.begun == asked, "the archive was there already"
