"""POST /api/v1/verify and the KServe model `vultus`."""

from serving.service import Ask, Service, with_decoding
from vultus.contracts.answers import VerifyAnswer
from vultus.inference import answers


def verify(service: Service, reference: bytes, probe: bytes, ask: Ask) -> VerifyAnswer:
    """Are these the same person, and is the probe a bona fide presentation?

    Raises: Refusal, BadImage.
    """
    analyser, thresholds = service.recogniser()
    spent_ms: dict[str, float] = {}
    first, second = (service.picture(data, spent_ms) for data in (reference, probe))
    answer = answers.verify(
        analyser, thresholds, first, second, fmr=ask.fmr, request_id=ask.request_id
    )
    answer = answer.model_copy(update={"latency_ms": with_decoding(answer.latency_ms, spent_ms)})
    service.note(
        "verify",
        answer,
        ask,
        decision=answer.decision,
        score=answer.score,
        threshold=answer.threshold,
        face=answer.probe,
        embedding=analyser.embedding,
    )
    return answer
