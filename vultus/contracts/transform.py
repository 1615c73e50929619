"""Everything that decides a score between the pixels and the network; travels as transform.json.

Training, evaluation, serving and edge read the same record; a server refuses a model whose
transform it cannot prepare.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from vultus.contracts.words import Evidence, Task


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DetectorParams(_Record):
    """The cascade's part: what counts as a face, and how finely it is looked for."""

    min_face_px: int = Field(default=40, ge=12, description="smallest face side that is looked for")
    factor: float = Field(default=0.709, gt=0.3, lt=0.95, description="pyramid step")
    thresholds: tuple[float, float, float] = Field(
        default=(0.6, 0.7, 0.7), description="P-, R- and O-Net face probabilities"
    )
    refine: bool = Field(
        default=True,
        description="one more O-Net pass on its own box; fast: closer and on mirror images too",
    )
    mode: Literal["fast", "plain"] = Field(
        default="fast",
        description="arithmetic around the nets: plain is the reference implementation's, fast is "
        "no further from it than that is from itself when the picture moves by three pixels",
    )


class TensorParams(_Record):
    """uint8 crop -> network input: (pixel - mean) * scale, colour order, channels first."""

    side: int = Field(ge=16, description="input width and height, pixels")
    mean: float = 0.0
    scale: float = 1.0
    order: Literal["rgb", "bgr"] = "rgb"


class ChipWindow(_Record):
    """A square in the pixels of the aligned chip; outside the chip its edge goes on."""

    left: float
    top: float
    side: float = Field(gt=0)


class _WithDetector(_Record):
    detector: DetectorParams = DetectorParams()

    @field_validator("detector", mode="before")
    @classmethod
    def _older_is_plain(cls, value: Any) -> Any:
        """A transform.json that names no mode was written, and its thresholds set, when there was
        only the plain one."""
        if isinstance(value, dict) and "mode" not in value:
            return {**value, "mode": "plain"}
        return value


class RecognitionTransform(_WithDetector):
    """Transform of an embedder: align five points to a template, cut the window, then scale.

    Chips are the same for every embedder; one that was trained on another cut of the face says so by
    its window.
    """

    task: Literal[Task.RECOGNITION] = Task.RECOGNITION
    template: Literal["arcface-112"] = "arcface-112"
    window: ChipWindow | None = Field(
        default=None, description="what is resized to the input; None = the chip as it is"
    )
    tensor: TensorParams = TensorParams(side=112)
    dimension: int = Field(default=128, ge=2, description="length of the embedding")


class PanelMember(_Record):
    """One PAD network of the panel, and where it may be believed."""

    name: str = Field(description="e.g. vultus-own, npm-liveness, deepface-fasnet")
    file: str = Field(description="ONNX file of this member, relative to the artifact")
    sha256: str
    tensor: TensorParams
    scales: tuple[float, ...] = Field(description="one crop a scale, times the longer box side")
    room_min: float = Field(ge=0, description="valid where context room >= this")
    room_max: float = Field(description="valid where context room < this (use 1e9 for no limit)")
    evidence: Evidence
    output: Literal["logit", "softmax0", "softmax1"] = Field(
        description="logit of bona fide, or which softmax column is bona fide"
    )
    threshold: float | None = Field(
        default=None, description="accepted when score >= threshold; set by evaluate on validation"
    )
    training_data: str = Field(description="what the weights were trained on, in words")
    licence: str


class LivenessTransform(_WithDetector):
    """Transform of the PAD panel. Room = how far the square box can grow inside the image."""

    task: Literal[Task.LIVENESS] = Task.LIVENESS
    members: tuple[PanelMember, ...]


class Architecture(_Record):
    """architecture.json of a Checkpoint: which network the weights fit."""

    name: str = Field(description="sface-adapter, edge, lite0-frozen, compact-pad, …")
    options: dict[str, int | float | str | bool] = Field(default_factory=dict)
