"""Refusals: keys, sizes, kinds, rates. Each is problem+json, says what to do, and breaks nothing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.access import RateLimit
from support.pictures import encoded, png_bomb, scene, with_exif_orientation
from support.served import Pictures
from support.server import TestClient, serve_home
from vultus.contracts.answers import Problem
from vultus.contracts.home import Home

OPEN = ["/", "/page/app.js", "/page/style.css", "/favicon.ico", "/v2/health/ready",
        "/v2/health/live", "/metrics"]  # fmt: skip
CLOSED = [
    ("POST", "/api/v1/verify"),
    ("PUT", "/api/v1/subjects/ada/references"),
    ("DELETE", "/api/v1/subjects/ada"),
    ("POST", "/v1/models/vultus:predict"),
    ("POST", "/v2/models/vultus/infer"),
    ("GET", "/v1/models"),
    ("GET", "/v2"),
    ("GET", "/nothing"),
    ("GET", "/page/../__main__.py"),
]


def problem_of(response: Any, status: int) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(response.text)
    assert problem.status == status
    assert problem.request_id == response.headers["x-request-id"]
    return problem


def liveness(world: Any, data: bytes) -> Any:
    return world.http.post("/api/v1/liveness", files={"image": ("a.jpg", data)})


@pytest.mark.parametrize("path", OPEN)
def test_no_key_is_needed_for_the_page_and_the_probes(world: Any, path: str) -> None:
    response = TestClient(world.http.app).get(path)
    assert response.status_code == 200
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_all_else_needs_the_key(world: Any, method: str, path: str) -> None:
    stranger = TestClient(world.http.app)
    assert "Bearer" in problem_of(stranger.request(method, path), 401).detail
    wrong = stranger.request(method, path, headers={"Authorization": "Bearer vultus_wrong"})
    problem_of(wrong, 401)
    assert wrong.headers["www-authenticate"].startswith("Bearer")


def test_models_cannot_be_unloaded_over_http(world: Any) -> None:
    problem_of(world.http.post("/v2/repository/models/vultus/unload"), 403)
    assert world.http.get("/v2/models/vultus/ready").status_code == 200


def test_unknown_paths_and_methods(world: Any) -> None:
    problem_of(world.http.get("/api/v2/verify"), 404)
    problem_of(world.http.get("/page/secret.txt"), 404)
    problem_of(world.http.get("/api/v1/verify"), 405)
    problem_of(world.http.post("/v1/models/nobody:predict", json={"instances": []}), 404)


NOISE = np.random.default_rng(0).integers(0, 255, (700, 700, 3), np.uint8)
BAD_PICTURES = {
    "zero bytes": (b"", 422),
    "text": (b"Dear Sir or Madam", 422),
    "cut": (encoded(scene(200, 200))[:900], 422),
    "bomb": (png_bomb(), 413),
    "too long": (encoded(NOISE, ".png"), 413),
}


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_bad_pictures_are_named_and_the_next_one_is_answered(
    world: Any, shown: Pictures, name: str
) -> None:
    data, status = BAD_PICTURES[name]
    problem_of(liveness(world, data), status)
    assert liveness(world, shown.ada).json()["decision"] == "bona_fide"


def test_odd_but_honest_pictures_are_answered(world: Any) -> None:
    grey = encoded(scene()[:, :, 0], ".png")
    deep = encoded(scene().astype(np.uint16) * 257, ".png")
    alpha = encoded(np.dstack([scene(), scene()[:, :, 0]]), ".png")
    turned = with_exif_orientation(encoded(scene()), 6)
    for data in (grey, deep, alpha, turned):
        assert liveness(world, data).json()["reason"] == "no_face"


def test_another_content_type_is_415(world: Any) -> None:
    problem_of(world.http.post("/api/v1/verify", json={"reference": "x"}), 415)
    problem_of(world.http.post("/api/v1/verify"), 415)


def test_missing_parts_and_bad_fields_are_400(world: Any, shown: Pictures) -> None:
    only = {"reference": ("a.jpg", shown.ada)}
    assert "probe" in problem_of(world.http.post("/api/v1/verify", files=only), 400).detail
    both = {**only, "probe": ("b.jpg", shown.ada)}
    for fmr in ("0", "1", "-3", "often"):
        sent = world.http.post("/api/v1/verify", files=both, data={"fmr": fmr})
        assert "fmr" in problem_of(sent, 400).detail
    image = {"image": ("a.jpg", shown.ada)}
    problem_of(world.http.post("/api/v1/identify", files=image, data={"limit": "0"}), 400)
    broken = world.http.post(
        "/api/v1/verify",
        content=b"no boundary here",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    problem_of(broken, 400)
    long_id = "x" * 201
    sent = world.http.put(f"/api/v1/subjects/{long_id}/references", files=image)
    assert "1 to 200" in problem_of(sent, 400).detail


def test_a_body_that_is_too_long_is_413_announced_or_not(world: Any) -> None:
    limit = world.service.limits.body_bytes
    announced = world.http.post("/api/v1/liveness", content=b"x" * (limit + 1))
    problem_of(announced, 413)

    def pieces() -> Iterator[bytes]:
        for _ in range(limit // 100_000 + 2):
            yield b"x" * 100_000

    for path, kind in (
        ("/api/v1/liveness", "multipart/form-data; boundary=x"),
        ("/v1/models/vultus:predict", "application/json"),
        ("/v2/models/vultus/infer", "application/json"),
    ):
        sent = world.http.post(path, content=pieces(), headers={"Content-Type": kind})
        problem_of(sent, 413)


def test_broken_v1_and_v2_requests_are_400(world: Any) -> None:
    v1, v2 = "/v1/models/vultus-liveness:predict", "/v2/models/vultus-liveness/infer"
    for payload in (
        {},
        {"instances": []},
        {"instances": [{"image": "text"}]},
        {"instances": [{"image": {"b64": "%%%"}}]},
        {"instances": [{"image": {"b64": 7}}]},
    ):
        problem_of(world.http.post(v1, json=payload), 400)
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": ["%%%"]}
    for change in ({}, {"name": "picture"}, {"datatype": "FP32", "data": [1.0]}, {"shape": [2]}):
        problem_of(world.http.post(v2, json={"inputs": [{**tensor, **change}]}), 400)
    problem_of(world.http.post(v2, json={"inputs": "none"}), 400)
    for path in (v1, v2):
        json_text = {"Content-Type": "application/json"}
        problem_of(world.http.post(path, content=b"{", headers=json_text), 400)
    many = {"instances": [{"image": {"b64": "aGFs"}}] * 33}
    problem_of(world.http.post(v1, json=many), 413)
    image = {"b64": "RGVhciBTaXI="}
    problem_of(world.http.post(v1, json={"instances": [{"image": image}]}), 422)


def test_the_caller_names_the_request_unless_the_name_could_do_harm(
    world: Any, shown: Pictures
) -> None:
    def id_of(given: str) -> str:
        sent = {"image": ("a.jpg", shown.ada)}
        headers = {"X-Request-Id": given}
        answer = world.http.post("/api/v1/liveness", files=sent, headers=headers)
        assert answer.headers["x-request-id"] == answer.json()["request_id"]
        return str(answer.json()["request_id"])

    assert id_of("door-3.17") == "door-3.17"
    assert id_of("a b\tc") != "a b\tc"
    assert len(id_of("x" * 65)) == 32


def test_the_rate_limit_says_when_to_come_back(home: Home) -> None:
    world = serve_home(home, requests_per_s=2.0)
    try:
        answers = [world.http.get("/v1/models") for _ in range(4)]
        assert [a.status_code for a in answers] == [200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        problem_of(answers[-1], 429)
        assert world.http.get("/v2/health/ready").status_code == 200
    finally:
        world.service.close()


def test_tokens_come_back_with_time() -> None:
    now = 0.0
    limit = RateLimit(4.0, clock=lambda: now)
    assert [limit.wait_s() for _ in range(4)] == [0.0] * 4
    assert limit.wait_s() == pytest.approx(0.25)
    now = 0.25
    assert limit.wait_s() == 0.0
    now = 100.0
    assert sum(limit.wait_s() == 0.0 for _ in range(9)) == 4


def test_a_gallery_that_cannot_be_used_is_503_and_hides_its_path(
    world: Any, shown: Pictures
) -> None:
    world.service.gallery.close()
    refused = world.http.put(
        "/api/v1/subjects/ada/references", files={"image": ("a.jpg", shown.ada)}
    )
    assert refused.headers["retry-after"] == "5"
    assert str(world.home.root) not in json.dumps(problem_of(refused, 503).model_dump())


def test_no_picture_is_ever_written_to_disk(
    world: Any, shown: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a request wrote to a temporary file")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    padded = shown.ada[:-2] + b"\0" * 300_000 + shown.ada[-2:]
    assert len(padded) < world.service.limits.image_bytes
    big = {"reference": ("a.jpg", padded), "probe": ("b.jpg", padded)}
    assert world.http.post("/api/v1/verify", files=big).status_code == 200
