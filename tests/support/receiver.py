"""A real HTTP server in a thread: takes what is sent to it and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


@dataclass
class Receiver:
    """url; the requests so far as (method, path, JSON or None), in order."""

    url: str = ""
    requests: list[tuple[str, str, Any]] = field(default_factory=list)

    def bodies(self) -> list[Any]:
        """What was posted."""
        return [body for method, _, body in self.requests if method == "POST"]


@contextmanager
def receiver(answer: Callable[[str, str, int], Answer]) -> Iterator[Receiver]:
    """Serve on a free port of 127.0.0.1.

    Args: answer: (method, path, number of this request) -> status, JSON-able body.
    """
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            kept.requests.append((self.command, self.path, body))
            status, said = answer(self.command, self.path, len(kept.requests))
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _take

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
