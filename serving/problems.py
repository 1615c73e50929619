"""Every refusal that leaves the server: application/problem+json (RFC 9457), mapped here, once."""

import logging
from http import HTTPStatus

from starlette.responses import Response

from vultus.contracts.answers import Problem
from vultus.errors import (
    BadArtifact,
    BadImage,
    BadInput,
    StorageUnavailable,
    TrackingUnavailable,
    VultusError,
    WeightsUnavailable,
)

logger = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[VultusError], int], ...] = (
    (BadImage, 422),
    (BadInput, 400),
    (BadArtifact, 503),
    (StorageUnavailable, 503),
    (TrackingUnavailable, 503),
    (WeightsUnavailable, 503),
)


class Refusal(VultusError):
    """A request that is answered with a problem.

    Args:
        status: HTTP code.
        detail: what is wrong and what to do.
        headers: more headers, such as Retry-After.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def problem(refusal: Refusal, request_id: str) -> Response:
    """The response to a refused request."""
    record = Problem(
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=refusal.detail,
        request_id=request_id,
    )
    return Response(
        record.model_dump_json(),
        refusal.status,
        headers=refusal.headers,
        media_type="application/problem+json",
    )


def refusal_of(error: Exception, request_id: str) -> Refusal:
    """What a caller is told of an error; what is not meant for them goes to the log alone."""
    if isinstance(error, Refusal):
        return error
    for kind, status in _STATUS:
        if isinstance(error, kind):
            if status == 503:
                logger.error("request failed", extra={"request_id": request_id, "why": str(error)})
                return Refusal(status, _without_paths(error), {"Retry-After": "5"})
            return Refusal(status, str(error))
    logger.error("request failed", exc_info=error, extra={"request_id": request_id})
    return Refusal(500, "the server failed; its log names the reason under this request_id")


def _without_paths(error: VultusError) -> str:
    """Callers learn what is out of order, not how this machine's disk is laid out."""
    told = {
        StorageUnavailable: "the gallery or the disk refuses",
        TrackingUnavailable: "the model registry cannot be reached",
    }
    what = next((text for kind, text in told.items() if isinstance(error, kind)), "no usable model")
    return f"{what}; the server's log names the reason under this request_id. Try again later"
