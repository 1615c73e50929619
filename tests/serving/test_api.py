"""The REST routes: what people script against."""

import json
from typing import Any

import pytest

from support.served import Pictures
from vultus.contracts.answers import IdentifyAnswer, LivenessAnswer, VerifyAnswer
from vultus.contracts.words import MatchDecision, PadDecision, Reason


def files(**parts: bytes) -> dict[str, tuple[str, bytes]]:
    return {name: (f"{name}.jpg", data) for name, data in parts.items()}


def verify(world: Any, reference: bytes, probe: bytes, **fields: str) -> VerifyAnswer:
    sent = files(reference=reference, probe=probe)
    response = world.http.post("/api/v1/verify", files=sent, data=fields)
    assert response.status_code == 200, response.text
    assert set(json.loads(response.text)) == set(VerifyAnswer.model_fields)  # null, never absent
    return VerifyAnswer.model_validate_json(response.text)


def test_verify_answers_match_with_all_that_led_to_it(world: Any, shown: Pictures) -> None:
    answer = verify(world, shown.ada, shown.ada)
    assert answer.decision is MatchDecision.MATCH
    assert answer.score == pytest.approx(1.0, abs=1e-4)
    assert answer.pad.decision is PadDecision.BONA_FIDE
    assert answer.models.model_dump() == {
        "recognition": "vultus-recognition/1",
        "pad": "vultus-pad/1",
    }
    assert answer.latency_ms["total"] >= answer.latency_ms["detect"] > 0
    assert answer.latency_ms["decode"] > 0


def test_an_attack_is_never_a_match_but_its_score_is_shown(world: Any, shown: Pictures) -> None:
    answer = verify(world, shown.ada, shown.attack)
    assert (answer.decision, answer.reason) == (MatchDecision.NOT_DECIDED, Reason.ATTACK)
    assert answer.score is not None
    assert answer.pad.score is not None
    assert answer.pad.threshold == 0.5
    assert answer.pad.score < answer.pad.threshold


def test_a_stricter_fmr_never_lowers_the_threshold(world: Any, shown: Pictures) -> None:
    loose, strict = (verify(world, shown.ada, shown.bea, fmr=fmr) for fmr in ("0.1", "0.0001"))
    assert (loose.fmr, strict.fmr) == (0.1, 0.0001)
    assert loose.threshold is not None
    assert strict.threshold is not None
    assert loose.threshold < strict.threshold


@pytest.mark.parametrize(
    ("picture", "reason"), [("wall", Reason.NO_FACE), ("two_people", Reason.SEVERAL_FACES)]
)
def test_a_picture_without_one_face_is_a_result(
    world: Any, shown: Pictures, picture: str, reason: Reason
) -> None:
    response = world.http.post("/api/v1/liveness", files=files(image=getattr(shown, picture)))
    answer = LivenessAnswer.model_validate_json(response.text)
    assert (response.status_code, answer.decision) == (200, PadDecision.NOT_DECIDED)
    assert answer.reason is reason


def test_liveness_tells_the_two_apart(world: Any, shown: Pictures) -> None:
    decisions = [
        world.http.post("/api/v1/liveness", files=files(image=data)).json()["decision"]
        for data in (shown.ada, shown.attack)
    ]
    assert decisions == ["bona_fide", "attack"]


def enrol(world: Any, subject: str, data: bytes) -> dict[str, Any]:
    response = world.http.put(f"/api/v1/subjects/{subject}/references", files=files(image=data))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_an_id_may_hold_any_character_and_is_nobody_else(world: Any, shown: Pictures) -> None:
    ids = {"x": "x", "x%2Freferences": "x/references", "%C3%BC%20%25": "ü %"}
    for sent, meant in ids.items():
        assert enrol(world, sent, shown.ada)["subject"] == meant
    assert world.http.delete("/api/v1/subjects/x%2Freferences").json()["subject"] == "x/references"
    assert world.service.gallery.references("x") == 1
    assert world.http.delete("/api/v1/subjects/x/references").json()["subject"] == "x"
    for path in ("", "/", "/a/b", "/a/b/references"):
        assert world.http.delete(f"/api/v1/subjects{path}").status_code == 404
    assert world.http.put("/api/v1/subjects/x", files=files(image=shown.ada)).status_code == 404
    assert world.http.delete("/api/v1/subjects/%FF").status_code == 400


def test_enrol_identify_forget(world: Any, shown: Pictures) -> None:
    first = enrol(world, "ada", shown.ada)
    assert (first["decision"], first["references"], first["score"]) == ("enrolled", 1, None)
    assert enrol(world, "ada", shown.ada)["decision"] == "unchanged"
    assert enrol(world, "ada", shown.ada_again)["references"] == 2
    assert enrol(world, "bea", shown.bea)["references"] == 1

    found = world.http.post("/api/v1/identify", files=files(image=shown.bea))
    answer = IdentifyAnswer.model_validate_json(found.text)
    assert answer.decision is MatchDecision.MATCH
    assert answer.candidates[0].subject == "bea"
    assert answer.gallery_size == 2
    assert "search" in answer.latency_ms
    assert world.metric("vultus_gallery_subjects") == 2

    asked = {"fpir": "0.02", "fmr": "0.3"}
    whole = world.http.post("/api/v1/identify", files=files(image=shown.bea), data=asked).json()
    assert 1 - (1 - whole["fmr"]) ** 2 == pytest.approx(0.02)  # two people, one chance each
    wrong = world.http.post("/api/v1/identify", files=files(image=shown.bea), data={"fpir": "2"})
    assert wrong.status_code == 400

    gone = world.http.delete("/api/v1/subjects/bea")
    assert (gone.status_code, gone.json()["references"]) == (200, 1)
    after = world.http.post("/api/v1/identify", files=files(image=shown.bea)).json()
    assert "bea" not in [candidate["subject"] for candidate in after["candidates"]]
    assert world.http.delete("/api/v1/subjects/bea").status_code == 404


@pytest.mark.parametrize(
    ("picture", "reason"),
    [("attack", "attack"), ("wall", "no_face"), ("two_people", "several_faces")],
)
def test_what_cannot_be_a_reference_is_refused_with_200(
    world: Any, shown: Pictures, picture: str, reason: str
) -> None:
    answer = enrol(world, "ada", getattr(shown, picture))
    assert (answer["decision"], answer["reason"], answer["references"]) == ("refused", reason, 0)
    assert world.service.gallery.count() == 0


def test_an_empty_gallery_and_an_attack_give_no_candidates(world: Any, shown: Pictures) -> None:
    empty = world.http.post("/api/v1/identify", files=files(image=shown.ada)).json()
    assert (empty["decision"], empty["reason"]) == ("not_decided", "unknown_subject")
    enrol(world, "ada", shown.ada)
    attack = world.http.post("/api/v1/identify", files=files(image=shown.attack)).json()
    assert (attack["decision"], attack["reason"]) == ("not_decided", "attack")
    assert attack["candidates"] == []


def test_every_answer_leaves_one_row_of_features_and_no_subject(
    world: Any, shown: Pictures
) -> None:
    verify(world, shown.ada, shown.ada)
    enrol(world, "ada-lovelace", shown.ada)
    world.http.post(
        "/api/v1/liveness", files=files(image=shown.attack), headers={"X-Vultus-Device": "door-3"}
    )
    rows = world.rows().to_pylist()
    assert [row["operation"] for row in rows] == ["verify", "enrol", "liveness"]
    checked, _, live = rows
    assert checked["margin"] == pytest.approx(checked["score"] - 0.16, abs=0.02)
    assert len(checked["sketch"]) == 16
    assert (live["device"], live["decision"], live["sketch"]) == ("door-3", "attack", None)
    assert all(0 <= row["quality_unified"] <= 100 and row["faces"] == 1 for row in rows)
    assert "lovelace" not in str(rows)  # no digits of a request_id can spell it
    assert (
        world.metric("vultus_requests_total", operation="verify", decision="match", reason="none")
        == 1
    )
