"""Add and forget references: PUT and DELETE below /api/v1/subjects, `vultus enrol`, `vultus forget`."""

import hashlib

from serving.problems import Refusal
from serving.service import Ask, Service, with_decoding
from vultus.contracts.answers import EnrolAnswer, ForgetAnswer
from vultus.contracts.arrays import RgbImage
from vultus.contracts.words import PadDecision, Reason
from vultus.errors import BadArtifact
from vultus.gallery import Gallery
from vultus.inference.analyser import Analysis, FaceAnalyser
from vultus.inference.answers import models_of

ENROLLED, UNCHANGED, REFUSED = "enrolled", "unchanged", "refused"


def enrol(
    analyser: FaceAnalyser,
    gallery: Gallery,
    subject: str,
    image: RgbImage,
    data_sha256: str,
    request_id: str,
) -> EnrolAnswer:
    """Keep one reference of a subject.

    Args: image: RGB uint8 [H, W, 3]; data_sha256: of the file, so that the same file changes nothing.
    Returns: "refused" for an attack, no face, several faces or low quality. A picture that PAD cannot
        judge is taken: the operator vouches for it.
    Raises: BadArtifact, without an embedder; BadParameter, StorageUnavailable.
    """
    if analyser.encoder is None or analyser.recognition is None:
        raise BadArtifact("no recognition model is loaded; run `vultus run recognition` first")
    found = analyser.analyse(image)
    reason = _refusal(found)
    if reason is not None or found.embedding is None:
        decision, references = REFUSED, gallery.references(subject)
    else:
        added, _ = gallery.add(
            subject, found.embedding, model=analyser.recognition, image_sha256=data_sha256
        )
        decision, references = ENROLLED if added else UNCHANGED, gallery.references(subject)
    return EnrolAnswer(
        request_id=request_id,
        subject=subject,
        decision=decision,
        reason=reason,
        score=None,
        threshold=None,
        references=references,
        pad=found.pad,
        face=found.face,
        models=models_of(analyser),
        latency_ms=found.latency_ms,
    )


def enrol_request(service: Service, subject: str, image: bytes, ask: Ask) -> EnrolAnswer:
    """As asked over HTTP. Raises: Refusal, BadImage, BadParameter, StorageUnavailable."""
    analyser, _ = service.recogniser()
    spent_ms: dict[str, float] = {}
    picture = service.picture(image, spent_ms)
    answer = enrol(
        analyser,
        service.gallery,
        subject,
        picture,
        hashlib.sha256(image).hexdigest(),
        ask.request_id,
    )
    answer = answer.model_copy(update={"latency_ms": with_decoding(answer.latency_ms, spent_ms)})
    service.metrics.enrolled(service.gallery.count())
    service.note(
        "enrol",
        answer,
        ask,
        decision=answer.decision,
        face=answer.face,
        embedding=analyser.embedding,
    )
    return answer


def forget_request(service: Service, subject: str, ask: Ask) -> ForgetAnswer:
    """As asked over HTTP. Raises: Refusal 404, where nobody of that id is enrolled."""
    removed = service.gallery.remove(subject)
    service.metrics.enrolled(service.gallery.count())
    if removed == 0:
        raise Refusal(404, "nobody of this id is enrolled; nothing was deleted")
    return ForgetAnswer(
        request_id=ask.request_id, subject=subject, decision="forgotten", references=removed
    )


def _refusal(found: Analysis) -> Reason | None:
    if found.reason is not None:
        return found.reason
    return Reason.ATTACK if found.pad.decision is PadDecision.ATTACK else None
