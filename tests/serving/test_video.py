"""A decision over time: its laws, and the stream that carries it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.video import FRAMES, HOLD_STILL, NEEDED, Watch
from support.server import KEY, TestClient
from vultus.contracts.answers import FaceAnswer, LivenessAnswer, Models, PadAnswer, StreamAnswer
from vultus.contracts.words import Evidence, PadDecision, Reason, Verdict
from vultus.inference.panel import MOVE_BACK


def frame(
    score: float | None, *, room: float | None = 2.0, member: str | None = "drawn"
) -> LivenessAnswer:
    judged = score is not None
    pad = PadAnswer(
        decision=PadDecision.BONA_FIDE if judged else PadDecision.NOT_DECIDED,
        score=score,
        threshold=0.5 if judged else None,
        member=member if judged else None,
        evidence=Evidence.REAL if judged else None,
        room=room,
        status=Verdict.PASS,
    )
    face = FaceAnswer(box=(0, 0, 9, 9), detection_score=0.9, quality={"unified": 50.0}, faces=1)
    return LivenessAnswer(
        request_id="r",
        decision=pad.decision,
        reason=None if judged else Reason.NO_FACE,
        score=score,
        threshold=pad.threshold,
        pad=pad,
        face=face if judged else None,
        models=Models(),
        latency_ms={},
    )


def play(*frames: LivenessAnswer, every_s: float = 0.1) -> StreamAnswer:
    watch = Watch()
    for number, one in enumerate(frames):
        watch = watch.with_frame(number * every_s, one)
    return watch.answer(frames[-1])


@pytest.mark.parametrize("count", range(1, NEEDED))
def test_nothing_is_decided_from_too_few_frames(count: int) -> None:
    answer = play(*[frame(0.9)] * count)
    assert (answer.decision, answer.frames) == (PadDecision.NOT_DECIDED, count)
    assert answer.hint == HOLD_STILL


def test_one_frame_that_lies_changes_nothing() -> None:
    assert play(*[frame(0.1)] * 4, frame(0.99)).decision is PadDecision.ATTACK
    assert play(*[frame(0.9)] * 4, frame(0.01)).decision is PadDecision.BONA_FIDE


@given(st.lists(st.floats(0, 1), min_size=NEEDED, max_size=20))
def test_the_median_of_the_last_frames_decides(scores: list[float]) -> None:
    answer = play(*map(frame, scores))
    last = sorted(scores[-FRAMES:])
    low, high = last[(len(last) - 1) // 2], last[len(last) // 2]
    assert answer.frames == len(last)
    assert answer.score is not None
    assert low <= answer.score <= high
    assert answer.decision is (PadDecision.BONA_FIDE if answer.score >= 0.5 else PadDecision.ATTACK)


@given(st.lists(st.floats(0, 1), min_size=NEEDED, max_size=FRAMES), st.floats(0, 0.5))
def test_higher_scores_never_turn_bona_fide_into_attack(scores: list[float], more: float) -> None:
    if play(*map(frame, scores)).decision is PadDecision.BONA_FIDE:
        raised = [frame(min(1.0, score + more)) for score in scores]
        assert play(*raised).decision is PadDecision.BONA_FIDE


def test_a_face_that_leaves_takes_its_frames_along() -> None:
    gone = play(*[frame(0.9)] * 5, frame(None))
    assert (gone.decision, gone.reason, gone.score) == (
        PadDecision.NOT_DECIDED, Reason.NO_FACE, None,
    )  # fmt: skip
    back = play(*[frame(0.9)] * 5, frame(None), frame(0.1))
    assert (back.decision, back.frames) == (PadDecision.NOT_DECIDED, 1)


def test_a_face_that_fills_the_frame_is_told_to_move_back() -> None:
    answer = play(*[frame(0.9)] * 5, frame(0.9, room=1.1))
    assert answer.decision is PadDecision.NOT_DECIDED
    assert (answer.reason, answer.hint) == (Reason.PAD_UNAVAILABLE, MOVE_BACK)


def test_two_members_are_never_mixed() -> None:
    answer = play(*[frame(0.9, member="near")] * 5, *[frame(0.1, member="far")] * 2)
    assert (answer.decision, answer.frames) == (PadDecision.NOT_DECIDED, 2)


def test_old_frames_and_frames_before_a_pause_do_not_count() -> None:
    assert play(*[frame(0.9)] * 10, every_s=0.9).frames == 4
    assert play(*[frame(0.9)] * 10, every_s=1.1).frames == 1


def test_a_stream_decides_after_a_few_frames(world: Any, shown: Any) -> None:
    said = []
    with world.http.websocket_connect("/api/v1/stream", subprotocols=["vultus", KEY]) as socket:
        assert socket.accepted_subprotocol == "vultus"
        for data in [shown.ada] * 4 + [shown.attack] * 7 + [shown.wall]:
            socket.send_bytes(data)
            said.append(StreamAnswer.model_validate_json(socket.receive_text()))
    decisions = [answer.decision.value for answer in said]
    assert decisions[:4] == ["not_decided"] * 2 + ["bona_fide"] * 2
    assert decisions[10:] == ["attack", "not_decided"]
    assert [row["decision"] for row in world.rows().to_pylist()] == [
        "bona_fide", "attack", "not_decided",
    ]  # fmt: skip


def test_a_bad_frame_is_a_problem_and_the_stream_goes_on(world: Any, shown: Any) -> None:
    with world.http.websocket_connect("/api/v1/stream") as socket:
        socket.send_bytes(b"no picture")
        assert socket.receive_json()["status"] == 422
        socket.send_bytes(shown.ada)
        assert socket.receive_json()["frames"] == 1


def test_a_stream_needs_the_key(world: Any) -> None:
    from starlette.websockets import WebSocketDisconnect

    stranger = TestClient(world.http.app)
    for protocols in ([], ["vultus", "vultus_wrong"]):
        with (
            pytest.raises(WebSocketDisconnect) as refused,
            stranger.websocket_connect("/api/v1/stream", subprotocols=protocols),
        ):
            pass
        assert refused.value.code == 1008
