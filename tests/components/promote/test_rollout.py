"""The rollout against a small Kubernetes API on loopback: real client, real HTTP."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.promote import roll_out
from vultus.errors import RolloutFailed
from vultus.settings import RolloutSettings

PATH = "/apis/serving.kserve.io/v1beta1/namespaces/vultus/inferenceservices/faces"


class _Cluster(ThreadingHTTPServer):
    """Holds one InferenceService and counts what was asked of it."""

    service: dict[str, Any]
    patches: int


class _Api(BaseHTTPRequestHandler):
    server: _Cluster

    def do_GET(self) -> None:
        self._answer(200 if self.path == PATH else 404)

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.service["spec"]["predictor"] |= change["spec"]["predictor"]
        self.server.patches += 1
        self._answer(200)

    def _answer(self, status: int) -> None:
        body = json.dumps(self.server.service if status == 200 else {"message": "no"}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def cluster() -> Iterator[_Cluster]:
    server = _Cluster(("127.0.0.1", 0), _Api)
    container = {"name": "kserve-container", "image": "vultus/serving", "env": [
        {"name": "VULTUS_CLUSTER", "value": "true"},
        {"name": "VULTUS_SERVING__PAD", "value": "models:/vultus-pad/6"},
    ]}  # fmt: skip
    server.service = {"spec": {"predictor": {"minReplicas": 1, "containers": [container]}}}
    server.patches = 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def _settings(cluster: _Cluster, service: str = "faces") -> RolloutSettings:
    return RolloutSettings(service=service, api=f"http://127.0.0.1:{cluster.server_port}")


def test_the_version_number_is_written_and_the_rest_stays(cluster: _Cluster) -> None:
    assert roll_out("vultus-pad", 7, _settings(cluster))
    predictor = cluster.service["spec"]["predictor"]
    assert predictor["minReplicas"] == 1
    assert predictor["containers"][0]["image"] == "vultus/serving"
    assert {e["name"]: e["value"] for e in predictor["containers"][0]["env"]} == {
        "VULTUS_CLUSTER": "true",
        "VULTUS_SERVING__PAD": "models:/vultus-pad/7",
    }


def test_the_same_version_again_changes_nothing(cluster: _Cluster) -> None:
    assert roll_out("vultus-recognition", 3, _settings(cluster))
    assert not roll_out("vultus-recognition", 3, _settings(cluster))
    assert cluster.patches == 1


def test_an_unknown_service_says_what_to_do(cluster: _Cluster) -> None:
    with pytest.raises(RolloutFailed, match=r"vultus/other was not changed.*run promote again"):
        roll_out("vultus-pad", 7, _settings(cluster, "other"))


def test_a_laptop_names_no_service_and_nothing_happens() -> None:
    assert not roll_out("vultus-pad", 7, RolloutSettings())
