"""Who of the gallery is this? POST /api/v1/identify, `vultus identify`, the KServe model."""

import time
from dataclasses import dataclass, replace

from serving.service import Ask, Service, with_decoding
from serving.succession import ElderOf, Remembered, inherit, no_elder, remembered
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
    elder_of: ElderOf = no_elder,
) -> IdentifyAnswer:
    """Compare one face with every reference; who is known to an earlier recogniser alone is found
    by that one, and known to the current one from then on.

    Args:
        image: RGB uint8 [H, W, 3].
        fmr: of one comparison, as for verify; with N subjects the FPIR is up to N times as high.
        elder_of: opens an earlier recogniser.
    Returns: no candidates where not decided, so that nobody lets an attack in who looks at the list
        alone; `score` is the best comparison's, above the threshold or not.
    Raises: BadArtifact, without an embedder; BadParameter, StorageUnavailable.
    """
    start = time.perf_counter()
    found = analyser.analyse(image)
    began = time.perf_counter()
    current = _name(analyser)
    ranking = _ranked(gallery, current, found, thresholds.at(fmr), limit)
    reason = _refusal(found)
    if reason is None:
        elders = remembered(gallery, current, image, elder_of, fmr=fmr, limit=limit)
        ranking = _succeeded(gallery, current, found, ranking, list(elders))
    if reason is None and not ranking.compared:
        reason = Reason.UNKNOWN_SUBJECT
    done = time.perf_counter()
    near = ranking.near if reason is None else ()
    return IdentifyAnswer(
        request_id=request_id,
        decision=_decision(reason, near),
        reason=reason,
        score=ranking.best,
        threshold=ranking.threshold,
        fmr=fmr,
        candidates=near,
        gallery_size=gallery.count(),
        pad=found.pad,
        face=found.face,
        models=models_of(analyser).model_copy(update={"recognition": ranking.model}),
        latency_ms=_with_search(found.latency_ms, done - began, done - start),
    )


@dataclass(frozen=True)
class _Ranking:
    """What one recogniser found.

    near: candidates at or above its threshold, best first; best: score of the best comparison, above
    the threshold or not; compared: whether there was anybody to compare with.
    """

    model: str
    threshold: float
    near: tuple[Candidate, ...]
    best: float | None
    compared: bool


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
        elder_of=service.assembly.elder,
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


def _name(analyser: FaceAnalyser) -> str:
    if analyser.recognition is None:
        raise BadArtifact("no recognition model is loaded; run `vultus run recognition` first")
    return analyser.recognition


def _ranked(
    gallery: Gallery, model: str, found: Analysis, threshold: float, limit: int
) -> _Ranking:
    if found.embedding is None:
        return _Ranking(model, threshold, (), None, False)
    nearest = gallery.search(found.embedding, model=model, threshold=_LOWEST_SCORE, limit=limit)
    near = tuple(one for one in nearest if one.score >= threshold)
    return _Ranking(model, threshold, near, nearest[0].score if nearest else None, bool(nearest))


def _succeeded(
    gallery: Gallery, current: str, found: Analysis, own: _Ranking, elders: list[Remembered]
) -> _Ranking:
    """Whose match is the clearest; an earlier recogniser's is handed on to the current one."""
    matches = [elder for elder in elders if elder.near]
    best = max(matches, key=_margin, default=None)
    if best is None or found.embedding is None or (own.near and _margin(own) >= _margin(best)):
        return replace(own, compared=own.compared or bool(elders))
    inherit(gallery, current, best.near[0].subject, found.embedding)
    return _Ranking(best.model, best.threshold, best.near, best.near[0].score, True)


def _margin(found: "Remembered | _Ranking") -> float:
    """How far the best candidate lies above the threshold of the recogniser that scored it."""
    return found.near[0].score - found.threshold


def _with_search(latency_ms: dict[str, float], search_s: float, total_s: float) -> dict[str, float]:
    return {**latency_ms, "search": 1e3 * search_s, "total": 1e3 * total_s}


def _decision(reason: Reason | None, near: tuple[Candidate, ...]) -> MatchDecision:
    if reason is not None:
        return MatchDecision.NOT_DECIDED
    return MatchDecision.MATCH if near else MatchDecision.NON_MATCH


def _refusal(found: Analysis) -> Reason | None:
    if found.reason is not None:
        return found.reason
    if found.pad.decision is not PadDecision.BONA_FIDE:
        return found.pad.reason or Reason.PAD_UNAVAILABLE
    return None
