"""POST /api/v1/liveness and the KServe model `vultus-liveness`."""

from serving.service import Ask, Service, with_decoding
from vultus.contracts.answers import LivenessAnswer
from vultus.inference import answers


def liveness(service: Service, image: bytes, ask: Ask) -> LivenessAnswer:
    """Is this a bona fide presentation? Raises: Refusal, BadImage."""
    spent_ms: dict[str, float] = {}
    picture = service.picture(image, spent_ms)
    answer = answers.liveness(service.served().analyser, picture, request_id=ask.request_id)
    answer = answer.model_copy(update={"latency_ms": with_decoding(answer.latency_ms, spent_ms)})
    service.note("liveness", answer, ask, decision=answer.decision, face=answer.face)
    return answer
