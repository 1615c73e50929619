"""Who of the gallery is this? POST /api/v1/identify, `vultus identify`, the KServe model."""

import time

from serving.service import Ask, Service, with_decoding
from vultus.contracts.answers import Candidate, IdentifyAnswer
from vultus.contracts.arrays import RgbImage
from vultus.contracts.words import MatchDecision, PadDecision, Reason
from vultus.errors import BadArtifact
from vultus.gallery import Gallery
from vultus.inference.analyser import Analysis, FaceAnalyser
from vultus.inference.answers import models_of
from vultus.inference.thresholds import Thresholds

CANDIDATES = 5
_LOWEST_SCORE = -1.0


def identify(
    analyser: FaceAnalyser,
    thresholds: Thresholds,
    gallery: Gallery,
    image: RgbImage,
    *,
    fmr: float,
    request_id: str,
    limit: int = CANDIDATES,
) -> IdentifyAnswer:
    """Compare one face with every reference of the current recogniser.

    Args:
        image: RGB uint8 [H, W, 3].
        fmr: of one comparison, as for verify; with N subjects the FPIR is up to N times as high.
        limit: candidates at most.
    Returns: no candidates where the decision is not_decided: whoever looks at the list alone must
        not let an attack in. `score` is the best comparison's, above the threshold or not.
    Raises: BadArtifact, without an embedder; BadParameter, StorageUnavailable.
    """
    start = time.perf_counter()
    if analyser.encoder is None or analyser.recognition is None:
        raise BadArtifact("no recognition model is loaded; run `vultus run recognition` first")
    threshold = thresholds.at(fmr)
    found = analyser.analyse(image)
    began = time.perf_counter()
    nearest: list[Candidate] = []
    if found.embedding is not None:
        nearest = gallery.search(
            found.embedding, model=analyser.recognition, threshold=_LOWEST_SCORE, limit=limit
        )
    size = gallery.count()
    now = time.perf_counter()
    reason = _refusal(found, nearest)
    near = tuple(candidate for candidate in nearest if candidate.score >= threshold)
    decision = MatchDecision.NOT_DECIDED
    if reason is None:
        decision = MatchDecision.MATCH if near else MatchDecision.NON_MATCH
    return IdentifyAnswer(
        request_id=request_id,
        decision=decision,
        reason=reason,
        score=nearest[0].score if nearest else None,
        threshold=threshold,
        fmr=fmr,
        candidates=near if reason is None else (),
        gallery_size=size,
        pad=found.pad,
        face=found.face,
        models=models_of(analyser),
        latency_ms={
            **found.latency_ms,
            "search": 1e3 * (now - began),
            "total": 1e3 * (now - start),
        },
    )


def identify_request(
    service: Service, image: bytes, ask: Ask, limit: int = CANDIDATES
) -> IdentifyAnswer:
    """As asked over HTTP. Raises: Refusal, BadImage, StorageUnavailable."""
    analyser, thresholds = service.recogniser()
    spent_ms: dict[str, float] = {}
    answer = identify(
        analyser,
        thresholds,
        service.gallery,
        service.picture(image, spent_ms),
        fmr=ask.fmr,
        request_id=ask.request_id,
        limit=limit,
    )
    answer = answer.model_copy(update={"latency_ms": with_decoding(answer.latency_ms, spent_ms)})
    service.note(
        "identify",
        answer,
        ask,
        decision=answer.decision,
        score=answer.score,
        threshold=answer.threshold,
        face=answer.face,
        embedding=analyser.embedding,
    )
    return answer


def _refusal(found: Analysis, nearest: list[Candidate]) -> Reason | None:
    if found.reason is not None:
        return found.reason
    if found.pad.decision is not PadDecision.BONA_FIDE:
        return found.pad.reason or Reason.PAD_UNAVAILABLE
    return None if nearest else Reason.UNKNOWN_SUBJECT
