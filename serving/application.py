"""KServe's routes and ours in one ASGI application, behind the access layer."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.access import Access, request_id_of
from serving.problems import Refusal, problem, refusal_of
from serving.protocol import (
    InvalidInput,
    ModelNotFound,
    ModelNotReady,
    RESTServer,
    UnsupportedProtocol,
)
from serving.routes import routes_of
from serving.service import Service
from vultus.errors import VultusError

_KSERVE_STATUS = {
    InvalidInput: 400,
    ModelNotFound: 404,
    ModelNotReady: 503,
    UnsupportedProtocol: 400,
}
_ADVICE = {
    404: "there is nothing at this path; see the routes in the README",
    405: "this method is not served at this path",
}


def application(service: Service, rest: RESTServer, *, key: str, requests_per_s: float) -> ASGIApp:
    """Build the application.

    Args:
        rest: KServe's REST server, for its V1, V2 and health routes.
        key: the one API key.
        requests_per_s: rate limit of the key.
    """
    app = FastAPI(title="vultus", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.extend(routes_of(service))  # first: KServe answers GET / and /metrics itself
    rest._register_endpoints(app)
    for kind in (VultusError, RequestValidationError, HTTPException, *_KSERVE_STATUS, Exception):
        app.add_exception_handler(kind, _answered)
    return Counted(
        Access(
            app,
            key=key,
            requests_per_s=requests_per_s,
            body_bytes=service.limits.body_bytes,
        ),
        service.metrics.responded,
    )


class Counted:
    """ASGI middleware: tells the status of every response."""

    def __init__(self, app: ASGIApp, responded: Callable[[int], None]) -> None:
        self._app = app
        self._responded = responded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and look at the first message back."""

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._responded(message["status"])
            await send(message)

        await self._app(scope, receive, watched)


async def _answered(request: Request, error: Exception) -> Response:
    request_id = request_id_of(request.scope)
    return problem(_refusal(error, request_id), request_id)


def _refusal(error: Exception, request_id: str) -> Refusal:
    for kind, status in _KSERVE_STATUS.items():
        if isinstance(error, kind):
            return Refusal(status, str(error))
    if isinstance(error, RequestValidationError):
        return Refusal(400, f"the request cannot be read: {_first(error.errors())}")
    if isinstance(error, HTTPException):
        detail = _ADVICE.get(error.status_code, str(error.detail))
        return Refusal(error.status_code, detail, dict(error.headers or {}))
    return refusal_of(error, request_id)


def _first(errors: Any) -> str:
    first = errors[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
