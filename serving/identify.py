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
    Returns: no candidates where not decided, so that nobody lets an attack in who looks at the list
        alone; `score` is the best comparison's, above the threshold or not.
    Raises: BadArtifact, without an embedder; BadParameter, StorageUnavailable.
    """
    start, threshold = time.perf_counter(), thresholds.at(fmr)
    found = analyser.analyse(image)
    began = time.perf_counter()
    nearest = _nearest(gallery, analyser, found, limit)
    done = time.perf_counter()
    reason = _refusal(found, nearest)
    near = tuple(one for one in nearest if reason is None and one.score >= threshold)
    return IdentifyAnswer(
        request_id=request_id,
        decision=_decision(reason, near),
        reason=reason,
        score=nearest[0].score if nearest else None,
        threshold=threshold,
        fmr=fmr,
        candidates=near,
        gallery_size=gallery.count(),
        pad=found.pad,
        face=found.face,
        models=models_of(analyser),
        latency_ms=_with_search(found.latency_ms, done - began, done - start),
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


def _nearest(
    gallery: Gallery, analyser: FaceAnalyser, found: Analysis, limit: int
) -> list[Candidate]:
    if analyser.recognition is None:
        raise BadArtifact("no recognition model is loaded; run `vultus run recognition` first")
    if found.embedding is None:
        return []
    return gallery.search(
        found.embedding, model=analyser.recognition, threshold=_LOWEST_SCORE, limit=limit
    )


def _with_search(latency_ms: dict[str, float], search_s: float, total_s: float) -> dict[str, float]:
    return {**latency_ms, "search": 1e3 * search_s, "total": 1e3 * total_s}


def _decision(reason: Reason | None, near: tuple[Candidate, ...]) -> MatchDecision:
    if reason is not None:
        return MatchDecision.NOT_DECIDED
    return MatchDecision.MATCH if near else MatchDecision.NON_MATCH


def _refusal(found: Analysis, nearest: list[Candidate]) -> Reason | None:
    if found.reason is not None:
        return found.reason
    if found.pad.decision is not PadDecision.BONA_FIDE:
        return found.pad.reason or Reason.PAD_UNAVAILABLE
    return None if nearest else Reason.UNKNOWN_SUBJECT
