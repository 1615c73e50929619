"""`kaggle:owner/dataset` through the real kagglehub, against a small stand-in of Kaggle's API."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.ingest.choice import source_from
from support.pictures import encoded, scene
from vultus.errors import BadSource

PORT = 7777
"""Where kagglehub's own test environment looks."""
HELD = {"train/n000001/0001_01.jpg", "train/n000001/0002_01.jpg", "test/n000009/0001_01.jpg"}


class _Kaggle(BaseHTTPRequestHandler):
    """One dataset in version 3; nothing else is known."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = (asked["ownerSlug"], asked["datasetSlug"]) == ("hearfool", "vggface2")
        if not known:
            self._answer(404, b'{"code": 404, "message": "not found"}', "application/json")
        elif self.path.endswith("/DownloadDataset"):
            self._answer(200, _archive(), "application/zip")
        else:
            self._answer(200, b'{"currentVersionNumber": 3}', "application/json")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _archive() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for number, name in enumerate(sorted(HELD)):
            file.writestr(name, encoded(scene(seed=number)))
    return held.getvalue()


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    try:
        server = ThreadingHTTPServer(("127.0.0.1", PORT), _Kaggle)
    except OSError as error:
        pytest.skip(f"port {PORT}, where kagglehub's test environment looks, is taken: {error}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "TEST")
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    yield
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_a_dataset_is_downloaded_once_and_offered_by_subject(kaggle: None, tmp_path: Path) -> None:
    source = source_from("kaggle:hearfool/vggface2", seed=0, weights=tmp_path)
    items = list(source.items())
    assert {item.origin for item in items} == HELD
    assert {item.subject for item in items} == {"n000001", "n000009"}
    assert source.read(items[0]).startswith(b"\xff\xd8")
    assert source.name == "kaggle:hearfool/vggface2"


def test_an_unknown_dataset_says_what_to_check(kaggle: None, tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"kaggle:nobody/nothing cannot be had.*KAGGLE_KEY"):
        source_from("kaggle:nobody/nothing", seed=0, weights=tmp_path)
