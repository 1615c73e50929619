"""Our REST below /api/v1, the page, and the metrics."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from serving.access import request_id_of
from serving.decode import file_of, form_of, share_of
from serving.enrol import enrol_request, forget_request
from serving.identify import CANDIDATES, identify_request
from serving.liveness import liveness
from serving.problems import Refusal
from serving.service import Ask, Service
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


def routes_of(service: Service) -> list[Route]:
    """All routes of our own."""

    async def post_verify(request: Request) -> Response:
        form = await form_of(request, service.limits)
        reference, probe = await file_of(form, "reference"), await file_of(form, "probe")
        ask = _ask(service, request, form)
        return _json(await service.run(partial(verify, service, reference, probe, ask)))

    async def post_liveness(request: Request) -> Response:
        form = await form_of(request, service.limits)
        image = await file_of(form, "image")
        return _json(
            await service.run(partial(liveness, service, image, _ask(service, request, form)))
        )

    async def post_identify(request: Request) -> Response:
        form = await form_of(request, service.limits)
        image, limit = await file_of(form, "image"), _limit(form)
        ask = _ask(service, request, form)
        return _json(await service.run(partial(identify_request, service, image, ask, limit)))

    async def put_reference(request: Request) -> Response:
        form = await form_of(request, service.limits)
        image = await file_of(form, "image")
        subject, ask = str(request.path_params["subject"]), _ask(service, request, form)
        return _json(await service.run(partial(enrol_request, service, subject, image, ask)))

    async def delete_subject(request: Request) -> Response:
        subject, ask = str(request.path_params["subject"]), _ask(service, request, None)
        return _json(await service.run(partial(forget_request, service, subject, ask)))

    async def metrics(_: Request) -> Response:
        text = generate_latest(service.metrics.registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    subject = "/api/v1/subjects/{subject}"
    posts: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "/api/v1/verify": post_verify,
        "/api/v1/liveness": post_liveness,
        "/api/v1/identify": post_identify,
    }
    return [
        Route("/", _page, methods=["GET"]),
        Route("/favicon.ico", partial(_file, name="mark.svg"), methods=["GET"]),
        Route("/page/{name}", _named_file, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
        *(Route(path, handler, methods=["POST"]) for path, handler in posts.items()),
        Route(f"{subject}/references", put_reference, methods=["PUT"]),
        Route(f"{subject}/references", delete_subject, methods=["DELETE"]),
        Route(subject, delete_subject, methods=["DELETE"]),
    ]


def _ask(service: Service, request: Request, form: FormData | None) -> Ask:
    fmr = share_of(form.get("fmr")) if form is not None else None
    return Ask(
        request_id_of(request.scope),
        service.fmr if fmr is None else fmr,
        request.headers.get("x-vultus-device"),
    )


def _limit(form: FormData) -> int:
    given = form.get("limit")
    if given is None:
        return CANDIDATES
    text = str(given)
    if not text.isdigit() or not 1 <= int(text) <= _MANY_CANDIDATES:
        raise Refusal(400, f"limit = '{text}': give a whole number from 1 to {_MANY_CANDIDATES}")
    return int(text)


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


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
