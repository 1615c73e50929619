"""The client of a server: the same answers, refusals as errors that carry the server's words."""

from pathlib import Path

import httpx
import pytest

from vultus.client import Client, ServerRefused, ServerUnreachable
from vultus.errors import BadInput

PROBLEM = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "the file is empty",
    "request_id": "r1",
}


def client(respond: httpx.MockTransport) -> Client:
    return Client("http://vultus.test", "vultus_key", transport=respond)


def test_a_problem_is_an_error_with_the_servers_words() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(422, json=PROBLEM)

    with client(httpx.MockTransport(respond)) as one, pytest.raises(ServerRefused) as refused:
        one.liveness(b"")
    assert "the file is empty" in str(refused.value)
    assert refused.value.problem.request_id == "r1"
    assert seen[0].headers["authorization"] == "Bearer vultus_key"
    assert seen[0].headers["content-type"].startswith("multipart/form-data")


def test_a_subject_of_any_characters_is_one_path_segment() -> None:
    paths: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        answer = {"request_id": "r", "subject": "a/b ü", "decision": "forgotten", "references": 1}
        return httpx.Response(200, json=answer)

    with client(httpx.MockTransport(respond)) as one:
        assert one.delete("a/b ü").references == 1
    assert paths == [b"/api/v1/subjects/a%2Fb%20%C3%BC"]


@pytest.mark.parametrize("status", [200, 502])
def test_somebody_elses_answer_is_not_taken_for_ours(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text="<html>proxy</html>"))
    with client(transport) as one, pytest.raises(ServerUnreachable, match="check the address"):
        one.liveness(b"x")


def test_nobody_there_is_said_with_the_command_that_helps() -> None:
    with Client("http://127.0.0.1:1", "k") as one, pytest.raises(ServerUnreachable, match="serve"):
        one.liveness(b"x")


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with Client("http://127.0.0.1:1", "k") as one, pytest.raises(BadInput, match=r"none\.jpg"):
        one.liveness(tmp_path / "none.jpg")
