"""The answers of the API, the command and the library: one shape for all three.

All keys are always there, null without a value. `MatchDecision.NOT_DECIDED` always has a reason.
"""

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.words import Evidence, MatchDecision, PadDecision, Reason, Verdict


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PadAnswer(_Answer):
    """What the PAD panel said of one face."""

    decision: PadDecision
    score: float | None = None
    threshold: float | None = None
    member: str | None = Field(default=None, description="panel member that decided")
    evidence: Evidence | None = Field(default=None, description="attacks the member was trained on")
    room: float | None = Field(
        default=None, description="how far the box can grow inside the image"
    )
    status: Verdict = Field(description="verdict of the model's own evaluation, not of this image")
    reason: Reason | None = None
    hint: str | None = Field(default=None, description="what the person before the camera can do")


class FaceAnswer(_Answer):
    """Where the face is and how good the picture of it is."""

    box: tuple[float, float, float, float]
    detection_score: float
    quality: dict[str, float] = Field(description="component (ISO 29794-5) -> 0..100")
    faces: int = Field(description="faces found in the image; this is the largest")


class Models(_Answer):
    """Which model versions answered, e.g. "vultus-recognition/3"."""

    recognition: str | None = None
    pad: str | None = None


class LivenessAnswer(_Answer):
    """POST /api/v1/liveness, `vultus liveness`."""

    request_id: str
    decision: PadDecision
    reason: Reason | None
    score: float | None = Field(description="same as pad.score")
    threshold: float | None = Field(description="same as pad.threshold")
    pad: PadAnswer
    face: FaceAnswer | None
    models: Models
    latency_ms: dict[str, float]


class VerifyAnswer(_Answer):
    """POST /api/v1/verify, `vultus verify`. `pad` speaks of the probe."""

    request_id: str
    decision: MatchDecision
    reason: Reason | None
    score: float | None = Field(description="cosine similarity of reference and probe")
    threshold: float | None
    fmr: float = Field(description="the FMR that was asked for")
    pad: PadAnswer
    reference: FaceAnswer | None
    probe: FaceAnswer | None
    models: Models
    latency_ms: dict[str, float]


class Candidate(_Answer):
    """One row of a candidate list."""

    subject: str
    score: float


class IdentifyAnswer(_Answer):
    """POST /api/v1/identify, `vultus identify`; candidates >= threshold, best first."""

    request_id: str
    decision: MatchDecision
    reason: Reason | None
    score: float | None
    threshold: float | None
    fmr: float
    candidates: tuple[Candidate, ...]
    gallery_size: int
    pad: PadAnswer
    face: FaceAnswer | None
    models: Models
    latency_ms: dict[str, float]


class EnrolAnswer(_Answer):
    """PUT /api/v1/subjects/{id}/references, `vultus enrol`."""

    request_id: str
    subject: str
    decision: str = Field(description="enrolled, unchanged (same image again), refused")
    reason: Reason | None
    score: float | None = Field(description="always null: nothing is compared")
    threshold: float | None
    references: int = Field(description="references of this subject afterwards")
    pad: PadAnswer
    face: FaceAnswer | None
    models: Models
    latency_ms: dict[str, float]


class ForgetAnswer(_Answer):
    """DELETE /api/v1/subjects/{id}, `vultus forget`."""

    request_id: str
    subject: str
    decision: str = Field(description="forgotten")
    references: int = Field(description="references that were deleted")


class EmbedAnswer(_Answer):
    """KServe model `vultus-embed`."""

    request_id: str
    embedding: tuple[float, ...] | None = Field(description="unit length; null with a reason")
    reason: Reason | None
    pad: PadAnswer
    face: FaceAnswer | None
    models: Models
    latency_ms: dict[str, float]


class Problem(_Answer):
    """application/problem+json (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
