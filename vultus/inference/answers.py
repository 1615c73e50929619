"""Decisions over analyses: verify two pictures, judge one."""

import time

import numpy as np

from vultus.contracts.answers import LivenessAnswer, Models, PadAnswer, VerifyAnswer
from vultus.contracts.arrays import RgbImage
from vultus.contracts.words import MatchDecision, PadDecision, Reason
from vultus.errors import BadArtifact
from vultus.inference.analyser import Analysis, FaceAnalyser
from vultus.inference.thresholds import Thresholds


def verify(
    analyser: FaceAnalyser,
    thresholds: Thresholds,
    reference: RgbImage,
    probe: RgbImage,
    *,
    fmr: float,
    request_id: str,
    pad: bool = True,
) -> VerifyAnswer:
    """Are these the same person, and is the probe a bona fide presentation?

    Args:
        reference, probe: RGB uint8 [H, W, 3].
        fmr: the FMR that is asked for; sets the threshold.
        pad: False leaves PAD out and decides on the score alone.
    Returns: not_decided where a picture carries no usable face, where PAD says attack or cannot
        speak; the score is shown all the same.
    Raises: BadArtifact, without an embedder; BadParameter, for an impossible `fmr`.
    """
    start = time.perf_counter()
    if analyser.encoder is None:
        raise BadArtifact("no recognition model is loaded; run `vultus run recognition` first")
    threshold = thresholds.at(fmr)
    first = analyser.analyse(reference, pad=False)
    second = analyser.analyse(probe, pad=pad)
    score = similarity(first, second)
    reason = first.reason or second.reason or (_refusal(second.pad) if pad else None)
    decision = MatchDecision.NOT_DECIDED
    if reason is None and score is not None:
        decision = MatchDecision.MATCH if score >= threshold else MatchDecision.NON_MATCH
    return VerifyAnswer(
        request_id=request_id,
        decision=decision,
        reason=reason,
        score=score,
        threshold=threshold,
        fmr=fmr,
        pad=second.pad,
        reference=first.face,
        probe=second.face,
        models=models_of(analyser),
        latency_ms=_together(first, second, start),
    )


def liveness(analyser: FaceAnalyser, image: RgbImage, *, request_id: str) -> LivenessAnswer:
    """Is this a bona fide presentation? image: RGB uint8 [H, W, 3]."""
    found = analyser.analyse(image, embed=False)
    return LivenessAnswer(
        request_id=request_id,
        decision=found.pad.decision,
        reason=found.reason or found.pad.reason,
        score=found.pad.score,
        threshold=found.pad.threshold,
        pad=found.pad,
        face=found.face,
        models=models_of(analyser),
        latency_ms=found.latency_ms,
    )


def similarity(first: Analysis, second: Analysis) -> float | None:
    """Cosine similarity of two embeddings; None where one is missing."""
    if first.embedding is None or second.embedding is None:
        return None
    return float(np.dot(first.embedding, second.embedding))


def models_of(analyser: FaceAnalyser) -> Models:
    """The versions that answer."""
    return Models(recognition=analyser.recognition, pad=analyser.pad)


def _refusal(pad: PadAnswer) -> Reason | None:
    if pad.decision is PadDecision.BONA_FIDE:
        return None
    return pad.reason or Reason.PAD_UNAVAILABLE


def _together(first: Analysis, second: Analysis, start: float) -> dict[str, float]:
    """Milliseconds of both pictures by stage; the total is of the whole call."""
    spent = dict(first.latency_ms)
    for stage, milliseconds in second.latency_ms.items():
        spent[stage] = spent.get(stage, 0.0) + milliseconds
    return {**spent, "total": 1e3 * (time.perf_counter() - start)}
