"""A real HTTP server on loopback that fails as networks do, and writes down what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class FlakyServer:
    """Serves `content` at every path; each fault of `faults` spoils one answer, in order.

    Faults: "cut" ends the body half way, "503" answers that, "redirect" sends elsewhere,
    "no_range" ignores a range.
    """

    def __init__(self, content: bytes, *faults: str) -> None:
        self.content, self.faults = content, list(faults)
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""


@contextmanager
def flaky(content: bytes, *faults: str) -> Iterator[FlakyServer]:
    """The server, for as long as the block."""
    state = FlakyServer(content, *faults)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append((self.path, wanted))
            fault = state.faults.pop(0) if state.faults else ""
            if fault in ("404", "503"):
                self.send_error(int(fault))
                return
            if fault == "redirect":
                self.send_response(302)
                self.send_header("Location", "/moved/weights.bin")
                self.end_headers()
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
            if fault == "no_range":
                start = 0
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                end = len(state.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if fault == "cut" else body)

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/weights.bin"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
