"""KServe's own protocols over the same answers."""

import json
from base64 import b64encode
from typing import Any

import pytest

from support.served import Pictures


def b64(data: bytes) -> str:
    return b64encode(data).decode()


def tensor(name: str, *data: bytes) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)], "datatype": "BYTES", "data": [b64(d) for d in data]}


def infer(world: Any, model: str, *inputs: dict[str, Any], **more: Any) -> dict[str, list[Any]]:
    response = world.http.post(f"/v2/models/{model}/infer", json={"inputs": inputs, **more})
    assert response.status_code == 200, response.text
    return {out["name"]: out["data"] for out in response.json()["outputs"]}


def test_v1_and_rest_say_the_same(world: Any, shown: Pictures) -> None:
    instance = {"reference": {"b64": b64(shown.ada)}, "probe": {"b64": b64(shown.bea)}}
    v1 = world.http.post("/v1/models/vultus:predict", json={"instances": [instance], "fmr": 0.01})
    rest = world.http.post(
        "/api/v1/verify",
        files={"reference": ("a.jpg", shown.ada), "probe": ("b.jpg", shown.bea)},
        data={"fmr": "0.01"},
    )
    (prediction,), answer = v1.json()["predictions"], rest.json()
    for own in ("request_id", "latency_ms"):
        prediction.pop(own)
        answer.pop(own)
    assert prediction == answer


def test_v2_batches_are_what_one_by_one_gives(world: Any, shown: Pictures) -> None:
    both = infer(
        world,
        "vultus",
        tensor("reference", shown.ada, shown.ada),
        tensor("probe", shown.ada, shown.attack),
        id="batch-7",
    )
    assert both["decision"] == ["match", "not_decided"]
    assert both["reason"] == ["", "attack"]
    singles = [
        infer(world, "vultus", tensor("reference", shown.ada), tensor("probe", probe))
        for probe in (shown.ada, shown.attack)
    ]
    for name in ("score", "threshold", "pad_score", "pad_decision"):
        assert both[name] == [value for single in singles for value in single[name]]
    whole = json.loads(both["answer"][1])
    assert whole["pad"]["decision"] == both["pad_decision"][1] == "attack"


def test_v2_numbers_without_a_value_are_null(world: Any, shown: Pictures) -> None:
    answer = infer(world, "vultus-liveness", tensor("image", shown.wall))
    assert (answer["decision"], answer["score"]) == (["not_decided"], [None])


def test_v2_gives_the_outputs_that_were_asked_for(world: Any, shown: Pictures) -> None:
    answer = infer(
        world, "vultus-liveness", tensor("image", shown.ada), outputs=[{"name": "decision"}]
    )
    assert answer == {"decision": ["bona_fide"]}


def test_embeddings_have_unit_length_and_identify_finds_them(world: Any, shown: Pictures) -> None:
    rows = infer(world, "vultus-embed", tensor("image", shown.ada, shown.wall))
    vector, nothing = rows["embedding"][:128], rows["embedding"][128:]
    assert sum(value * value for value in vector) == pytest.approx(1.0, abs=1e-4)
    assert set(nothing) == {None}
    assert rows["reason"] == ["", "no_face"]
    world.http.put("/api/v1/subjects/ada/references", files={"image": ("a.jpg", shown.ada)})
    found = infer(world, "vultus-identify", tensor("image", shown.ada))
    assert (found["decision"], found["subject"]) == (["match"], ["ada"])


def test_metadata_names_the_tensors(world: Any) -> None:
    about = world.http.get("/v2/models/vultus").json()
    assert [tensor["name"] for tensor in about["inputs"]] == ["reference", "probe"]
    assert {"decision", "score", "pad_score"} <= {tensor["name"] for tensor in about["outputs"]}
    assert world.http.get("/v2/health/ready").json() == {"ready": True}


def test_identify_takes_the_fpir_of_the_whole_search(world: Any, shown: Pictures) -> None:
    for name, picture in (("ada", shown.ada), ("bea", shown.bea)):
        world.http.put(f"/api/v1/subjects/{name}/references", files={"image": ("a.jpg", picture)})
    asked, path = {"fpir": 0.02, "fmr": 0.3}, "/v1/models/vultus-identify:predict"
    instances = [{"image": {"b64": b64(shown.ada)}}]
    (v1,) = world.http.post(path, json={"instances": instances, **asked}).json()["predictions"]
    v2 = infer(world, "vultus-identify", tensor("image", shown.ada), parameters=asked)
    for fmr in (v1["fmr"], json.loads(v2["answer"][0])["fmr"]):
        assert 1 - (1 - fmr) ** 2 == pytest.approx(0.02)  # two people, one chance each
    assert v1["threshold"] == pytest.approx(v2["threshold"][0], abs=1e-6)
    loose = infer(world, "vultus-identify", tensor("image", shown.ada), parameters={"fmr": 0.3})
    assert json.loads(loose["answer"][0])["fmr"] == 0.3
    assert world.http.post(path, json={"instances": instances, "fpir": 2}).status_code == 400


def test_an_fpir_is_refused_where_nobody_is_searched_for(world: Any, shown: Pictures) -> None:
    inputs = [tensor("reference", shown.ada), tensor("probe", shown.ada)]
    sent = {"inputs": inputs, "parameters": {"fpir": 0.01}}
    refused = world.http.post("/v2/models/vultus/infer", json=sent)
    assert (refused.status_code, "fpir" in refused.json()["detail"]) == (400, True)
    files = {"reference": ("a.jpg", shown.ada), "probe": ("b.jpg", shown.ada)}
    assert world.http.post("/api/v1/verify", files=files, data={"fpir": "0.01"}).status_code == 400
