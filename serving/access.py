"""Who may come in, how often, with how much: one ASGI layer around all of KServe's routes and ours.

Also the place where a request gets its id, and where refusals of the layer itself are written.
"""

import hmac
import re
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.problems import Refusal, problem, refusal_of

_OPEN = re.compile(r"/|/page/[\w.-]+|/favicon\.ico|/v2/health/(live|ready)|/metrics")
_CHANGES_MODELS = re.compile(r"/v2/repository(/.*)?")
_REQUEST_ID = re.compile(r"[\w.-]{1,64}")
_DRAINED_AT_MOST = 4
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}
STREAM_PROTOCOL = "vultus"


class RateLimit:
    """A token bucket: `per_s` requests a second on average, one second's worth at once."""

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._most = max(1.0, per_s)
        self._clock = clock
        self._tokens = self._most
        self._at = clock()
        self._lock = threading.Lock()

    def wait_s(self) -> float:
        """0 and one token less, or the seconds until there is one."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._most, self._tokens + (now - self._at) * self._per_s)
            self._at = now
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0.0
            return (1.0 - self._tokens) / self._per_s


class Access:
    """ASGI middleware: request id, key, rate, size."""

    def __init__(self, app: ASGIApp, *, key: str, requests_per_s: float, body_bytes: int) -> None:
        """Args: key: the one API key; body_bytes: longest body that is taken."""
        self._app = app
        self._key = key.encode()
        self._rate = RateLimit(requests_per_s)
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _named(scope)
        refusal = self._refusal(scope)
        if scope["type"] == "websocket":
            if refusal is not None:
                # Refused before the handshake: the browser sees a failed connection.
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.detail})
                return
            await self._app(scope, receive, send)
            return
        if refusal is not None:
            await _drain(receive, _DRAINED_AT_MOST * self._body_bytes)
            await problem(refusal, request_id)(scope, receive, _marked(send, request_id))
            return
        await self._guarded(scope, receive, send, request_id)

    def _refusal(self, scope: Scope) -> Refusal | None:
        path: str = scope["path"]
        if _OPEN.fullmatch(path):
            return None
        headers = Headers(scope=scope)
        given = _stream_key(headers) if scope["type"] == "websocket" else _bearer(headers)
        if given is None:
            return Refusal(
                401,
                "send the header 'Authorization: Bearer vultus_…' with the key that the server prints",
                {"WWW-Authenticate": 'Bearer realm="vultus"'},
            )
        if not hmac.compare_digest(given.encode(), self._key):
            return Refusal(
                401, "this key is not known here", {"WWW-Authenticate": 'Bearer realm="vultus"'}
            )
        if _CHANGES_MODELS.fullmatch(path):
            return Refusal(403, "models are chosen by the registry's alias, not over HTTP")
        if (wait := self._rate.wait_s()) > 0:
            return Refusal(
                429,
                "more requests than this key may send in a second; wait and try again",
                {"Retry-After": str(max(1, round(wait + 0.5)))},
            )
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._body_bytes:
            return self._too_long()
        return None

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Run the application; a body that grows too long without having said so ends in 413."""
        taken, whole, started = 0, False, False

        async def counted() -> Message:
            nonlocal taken, whole
            message = await receive()
            taken += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if taken > self._body_bytes:
                raise self._too_long()
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            if taken > self._body_bytes and not started:
                return  # the application made a 400 of our 413; ours is sent below
            started = started or message["type"] == "http.response.start"
            await outlet(message)

        outlet = _marked(send, request_id)
        refusal: Refusal | None = None
        try:
            await self._app(scope, counted, noted)
        except Exception as error:
            if started:
                raise
            refusal = refusal_of(error, request_id)
        if taken > self._body_bytes and not started:
            if not whole:  # nothing more would come, and waiting would never end
                await _drain(receive, _DRAINED_AT_MOST * self._body_bytes)
            refusal = self._too_long()
        if refusal is not None:
            await problem(refusal, request_id)(scope, receive, outlet)

    def _too_long(self) -> Refusal:
        return Refusal(413, f"the body is too long, at most {self._body_bytes} bytes are taken")


def request_id_of(scope: Scope) -> str:
    """The id that `Access` gave to this request."""
    return str(scope["vultus.request_id"])


def _named(scope: Scope) -> str:
    """The caller's own X-Request-Id, if it is harmless, or a new one; KServe sees it too."""
    headers = MutableHeaders(scope=scope)
    given = headers.get("x-request-id", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
    headers["x-request-id"] = request_id
    scope["vultus.request_id"] = request_id
    return request_id


def _bearer(headers: Headers) -> str | None:
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" and key.strip() else None


def _stream_key(headers: Headers) -> str | None:
    """A browser cannot set headers on a WebSocket: the key is the second subprotocol."""
    offered = [part.strip() for part in headers.get("sec-websocket-protocol", "").split(",")]
    return offered[1] if len(offered) == 2 and offered[0] == STREAM_PROTOCOL else _bearer(headers)


def _marked(send: Send, request_id: str) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers["X-Request-Id"] = request_id
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            message["headers"] = headers.raw
        await send(message)

    return marked


async def _drain(receive: Receive, most_bytes: int) -> None:
    """Read what the caller still sends, so that it is there to read the answer."""
    read = 0
    while read <= most_bytes:
        message = await receive()
        read += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
