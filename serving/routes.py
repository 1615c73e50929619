"""Our REST below /api/v1, the page, and the metrics."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from serving.access import request_id_of
from serving.decode import file_of, form_of
from serving.enrol import enrol_request, forget_request
from serving.identify import CANDIDATES, identify_request
from serving.liveness import liveness
from serving.problems import Refusal
from serving.service import Ask, Service
from serving.stream import stream
from serving.verify import verify

_PAGE = Path(__file__).parent / "page"
_MANY_CANDIDATES = 50
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}


def routes_of(service: Service) -> list[BaseRoute]:
    """All routes of our own."""
    handlers = _Handlers(service)
    subject = "/api/v1/subjects/{rest:path}"
    return [
        Route("/", _page, methods=["GET"]),
        Route("/favicon.ico", partial(_file, name="mark.svg"), methods=["GET"]),
        Route("/page/{name}", _named_file, methods=["GET"]),
        Route("/metrics", handlers.metrics, methods=["GET"]),
        Route("/api/v1/verify", handlers.verify, methods=["POST"]),
        Route("/api/v1/liveness", handlers.liveness, methods=["POST"]),
        Route("/api/v1/identify", handlers.identify, methods=["POST"]),
        Route(subject, handlers.put_reference, methods=["PUT"]),
        Route(subject, handlers.delete_subject, methods=["DELETE"]),
        WebSocketRoute("/api/v1/stream", partial(stream, service)),
    ]


class _Handlers:
    """From a request to the pool and back; what is refused raises, see `problems`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def verify(self, request: Request) -> Response:
        """Parts reference, probe; field fmr."""
        form = await form_of(request, self._service.limits)
        reference, probe = await file_of(form, "reference"), await file_of(form, "probe")
        return await self._answered(verify, reference, probe, self._ask(request, form))

    async def liveness(self, request: Request) -> Response:
        """Part image."""
        form = await form_of(request, self._service.limits)
        image = await file_of(form, "image")
        return await self._answered(liveness, image, self._ask(request, form))

    async def identify(self, request: Request) -> Response:
        """Part image; fields limit, and fmr of one comparison or fpir of the whole search."""
        form = await form_of(request, self._service.limits)
        image, limit = await file_of(form, "image"), _limit(form)
        ask = self._ask(request, form, search=True)
        return await self._answered(identify_request, image, ask, limit)

    async def put_reference(self, request: Request) -> Response:
        """Part image."""
        subject = _subject(request, references=True)
        form = await form_of(request, self._service.limits)
        image = await file_of(form, "image")
        return await self._answered(enrol_request, subject, image, self._ask(request, form))

    async def delete_subject(self, request: Request) -> Response:
        """No body."""
        subject = _subject(request, references=False)
        return await self._answered(forget_request, subject, self._ask(request, None))

    async def metrics(self, _: Request) -> Response:
        """Prometheus text."""
        text = generate_latest(self._service.metrics.registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _answered(self, work: Callable[..., BaseModel], *given: object) -> Response:
        answer = await self._service.run(partial(work, self._service, *given))
        return Response(answer.model_dump_json(), media_type="application/json")

    def _ask(self, request: Request, form: FormData | None, *, search: bool = False) -> Ask:
        return Ask(
            request_id_of(request.scope),
            self._service.fmr_asked({} if form is None else form, search=search),
            request.headers.get("x-vultus-device"),
        )


def _subject(request: Request, *, references: bool) -> str:
    """The id in /api/v1/subjects/{id}[/references], from the path as it was sent.

    The decoded path would take an id that holds a slash for two segments, and delete somebody else.
    Args: references: whether the last segment must be there. Raises: Refusal 404.
    """
    sent = request.scope["raw_path"].split(b"?")[0].split(b"/")[4:]
    tail = sent[1:]
    if not sent or not sent[0] or tail not in ([b"references"], [] if not references else None):
        raise Refusal(404, "write /api/v1/subjects/{id}/references, the id percent-encoded")
    try:
        return unquote_to_bytes(sent[0]).decode()
    except UnicodeDecodeError as error:
        raise Refusal(400, "the subject's id is not UTF-8") from error


def _limit(form: FormData) -> int:
    given = form.get("limit")
    if given is None:
        return CANDIDATES
    text = str(given)
    if not text.isdigit() or not 1 <= int(text) <= _MANY_CANDIDATES:
        raise Refusal(400, f"limit = '{text}': give a whole number from 1 to {_MANY_CANDIDATES}")
    return int(text)


async def _page(request: Request) -> Response:
    return await _file(request, name="index.html")


async def _named_file(request: Request) -> Response:
    return await _file(request, name=str(request.path_params["name"]))


async def _file(request: Request, *, name: str) -> Response:
    file = _PAGE / name
    if file.parent != _PAGE or file.suffix not in _KINDS or not file.is_file():
        raise Refusal(404, f"the page has no file '{name}'")
    return FileResponse(
        file,
        media_type=_KINDS[file.suffix],
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
    )
