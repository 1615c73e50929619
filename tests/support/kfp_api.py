"""A small stand-in of the Kubeflow Pipelines v2beta1 REST API: enough for a client to start a run."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

NOW = "2026-01-01T00:00:00Z"


@dataclass
class KfpApi:
    """What was asked of it."""

    url: str
    experiments: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    refuses_runs: bool = False


@contextmanager
def kfp_api() -> Iterator[KfpApi]:
    """Serve on a free loopback port until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    api = KfpApi(f"http://127.0.0.1:{server.server_port}")
    server.api = api  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = urlsplit(self.path).path.removeprefix("/apis/v2beta1")
        if place == "/healthz":
            self._say(200, {"multi_user": False})
        elif place == "/experiments":
            known = [_experiment(n, i) for n, i in self._api.experiments.items()]
            self._say(200, {"experiments": known, "total_size": len(known)})
        elif place.startswith("/experiments/"):
            name = {i: n for n, i in self._api.experiments.items()}.get(place.split("/")[-1])
            self._say(200, _experiment(name, place.split("/")[-1])) if name else self._say(404, {})
        else:
            self._say(404, {"error": self.path})

    def do_POST(self) -> None:
        place = urlsplit(self.path).path.removeprefix("/apis/v2beta1")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if place == "/experiments":
            made = f"experiment-{len(self._api.experiments)}"
            self._api.experiments[body["display_name"]] = made
            self._say(200, _experiment(body["display_name"], made))
        elif place == "/runs" and not self._api.refuses_runs:
            self._api.runs.append(body)
            run = {"run_id": f"run-{len(self._api.runs)}", "display_name": body["display_name"]}
            self._say(200, {**run, "created_at": NOW, "state": "PENDING"})
        else:
            self._say(400, {"error": "quota exceeded", "code": 8, "message": "quota exceeded"})

    def log_message(self, *_: object) -> None:
        """Quiet."""

    @property
    def _api(self) -> KfpApi:
        api: KfpApi = self.server.api  # type: ignore[attr-defined]
        return api

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _experiment(name: str, identity: str) -> dict[str, str]:
    return {"experiment_id": identity, "display_name": name, "created_at": NOW}
