"""The KServe model `vultus-embed`: templates for systems that compare on their own."""

from serving.service import Ask, Service, with_decoding
from vultus.contracts.answers import EmbedAnswer
from vultus.inference.answers import models_of


def embed(service: Service, image: bytes, ask: Ask) -> EmbedAnswer:
    """The embedding of one face, with what PAD says of it. Raises: Refusal, BadImage."""
    analyser, _ = service.recogniser()
    spent_ms: dict[str, float] = {}
    found = analyser.analyse(service.picture(image, spent_ms))
    vector = found.embedding
    answer = EmbedAnswer(
        request_id=ask.request_id,
        embedding=None if vector is None else tuple(vector.tolist()),
        reason=found.reason or found.pad.reason,
        pad=found.pad,
        face=found.face,
        models=models_of(analyser),
        latency_ms=with_decoding(found.latency_ms, spent_ms),
    )
    decision = "refused" if vector is None else "embedded"
    service.note("embed", answer, ask, decision=decision, face=found.face, embedding=vector)
    return answer
