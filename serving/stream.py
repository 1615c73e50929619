"""WebSocket /api/v1/stream: frames in as image files, one JSON decision over time out for each."""

import time
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect

from serving.access import STREAM_PROTOCOL, request_id_of
from serving.problems import problem, refusal_of
from serving.service import Ask, Service, with_decoding
from serving.video import Watch
from vultus.contracts.answers import LivenessAnswer
from vultus.contracts.words import PadDecision
from vultus.errors import VultusError
from vultus.inference import answers

_UNSUPPORTED = 1003


async def stream(service: Service, socket: WebSocket) -> None:
    """Answer frames until the caller leaves; the feature log gets a row when the decision changes."""
    request_id = request_id_of(socket.scope)
    offered = socket.scope.get("subprotocols") or ()
    await socket.accept(subprotocol=STREAM_PROTOCOL if STREAM_PROTOCOL in offered else None)
    ask = Ask(request_id, service.fmr, socket.headers.get("x-vultus-device"))
    watch, said = Watch(), PadDecision.NOT_DECIDED
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        frame = message.get("bytes")
        try:
            if frame is None:
                await socket.close(_UNSUPPORTED, "send frames as binary messages")
                return
            try:
                last = await service.run(partial(_judged, service, frame, ask))
            except VultusError as error:
                body = problem(refusal_of(error, request_id), request_id).body
                await socket.send_text(bytes(body).decode())
                continue
            watch = watch.with_frame(time.monotonic(), last)
            answer = watch.answer(last)
            if answer.decision is not said:
                said = answer.decision
                service.note("liveness", answer, ask, decision=said, face=answer.face)
            await socket.send_text(answer.model_dump_json())
        except WebSocketDisconnect:
            return


def _judged(service: Service, frame: bytes, ask: Ask) -> LivenessAnswer:
    spent_ms: dict[str, float] = {}
    picture = service.picture(frame, spent_ms)
    found = answers.liveness(service.served().analyser, picture, request_id=ask.request_id)
    return found.model_copy(update={"latency_ms": with_decoding(found.latency_ms, spent_ms)})
