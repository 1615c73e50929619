"""Talks to a vultus server: `Client("http://127.0.0.1:8080", "vultus_…").verify(a, b)`."""

from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from vultus.contracts.answers import (
    EnrolAnswer,
    ForgetAnswer,
    IdentifyAnswer,
    LivenessAnswer,
    Problem,
    VerifyAnswer,
)
from vultus.errors import BadInput, VultusError

Picture: TypeAlias = bytes | str | Path
"""The bytes of an image file, or where it lies."""

_TIMEOUT_S = 30.0
Answer = TypeVar("Answer", bound=BaseModel)


class ServerRefused(VultusError):
    """The server answered with a problem.

    Args:
        record: the problem, as the server wrote it.
    """

    def __init__(self, record: Problem) -> None:
        super().__init__(
            f"{record.status} {record.title}: {record.detail} (request {record.request_id})"
        )
        self.problem = record


class ServerUnreachable(VultusError):
    """Nobody answers there, or not in the way a vultus server does."""


class Client:
    """One server, one key. Use it as a context manager, or close it."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_s: float = _TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Args: transport: another way to the server, for tests in one process."""
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=timeout_s,
            transport=transport,
        )

    def verify(
        self, reference: Picture, probe: Picture, *, fmr: float | None = None
    ) -> VerifyAnswer:
        """Are these the same person? Raises: ServerRefused, ServerUnreachable, BadInput."""
        files = {"reference": _bytes_of(reference), "probe": _bytes_of(probe)}
        return self._send("POST", "/api/v1/verify", VerifyAnswer, files, _fields(fmr=fmr))

    def liveness(self, image: Picture) -> LivenessAnswer:
        """Is it a bona fide presentation? Raises: ServerRefused, ServerUnreachable, BadInput."""
        return self._send("POST", "/api/v1/liveness", LivenessAnswer, {"image": _bytes_of(image)})

    def identify(
        self,
        image: Picture,
        *,
        fmr: float | None = None,
        fpir: float | None = None,
        limit: int | None = None,
    ) -> IdentifyAnswer:
        """Who of the gallery is it? fmr: of one comparison; fpir, which goes before it: of the search.

        Raises: ServerRefused, ServerUnreachable, BadInput.
        """
        fields = _fields(fmr=fmr, fpir=fpir, limit=limit)
        files = {"image": _bytes_of(image)}
        return self._send("POST", "/api/v1/identify", IdentifyAnswer, files, fields)

    def enrol(self, subject: str, image: Picture) -> EnrolAnswer:
        """Add a reference. Raises: ServerRefused, ServerUnreachable, BadInput."""
        path = f"/api/v1/subjects/{quote(subject, safe='')}/references"
        return self._send("PUT", path, EnrolAnswer, {"image": _bytes_of(image)})

    def delete(self, subject: str) -> ForgetAnswer:
        """Forget a subject. Raises: ServerRefused (404, if unknown), ServerUnreachable."""
        path = f"/api/v1/subjects/{quote(subject, safe='')}"
        return self._send("DELETE", path, ForgetAnswer)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(
        self,
        method: str,
        path: str,
        answer: type[Answer],
        files: dict[str, bytes] | None = None,
        fields: dict[str, str] | None = None,
    ) -> Answer:
        parts = {name: (name, data) for name, data in (files or {}).items()}
        try:
            response = self._http.request(method, path, files=parts or None, data=fields)
        except httpx.HTTPError as error:
            raise ServerUnreachable(
                f"{self._http.base_url} does not answer: {error or type(error).__name__}; "
                "is `vultus serve` running?"
            ) from error
        try:
            if response.is_success:
                return answer.model_validate_json(response.content)
            raise ServerRefused(Problem.model_validate_json(response.content))
        except ValidationError as error:
            raise ServerUnreachable(
                f"{self._http.base_url}{path} answered {response.status_code} in a form that is not "
                "vultus's; check the address and the versions of both sides"
            ) from error


def _bytes_of(picture: Picture) -> bytes:
    if isinstance(picture, bytes):
        return picture
    try:
        return Path(picture).read_bytes()
    except OSError as error:
        raise BadInput(f"the picture {picture} cannot be read: {error.strerror}") from error


def _fields(**given: float | int | None) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}
