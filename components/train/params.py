"""What a training computes. Everything here is logged and decides the weights."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import Task
from vultus.dataset.leftout import LeftOut
from vultus.errors import BadParameter

_RECOGNITION: dict[str, Any] = {
    "epochs": 30, "batch": 64, "lr": 2e-3, "weight_decay": 0.0, "ema": 0.0, "views": 2,
}  # fmt: skip
"""Defaults that differ where only the adapter is trained."""
_WHOLE: dict[str, Any] = {
    "epochs": 20, "batch": 64, "lr": 2e-3, "weight_decay": 0.02, "ema": 0.99, "views": 1,
}  # fmt: skip
"""Defaults where a whole network is trained; with a teacher, 8 views."""
_PACKAGED = ("sface", "resnet29")


class ChipAugment(BaseModel):
    """Strengths of the recognition recipe; 0 switches a change off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: float = Field(default=0.5, ge=0, le=1, description="probability")
    rotation_deg: float = Field(default=0.0, ge=0, le=45, description="at most, either way")
    occlusion: float = Field(
        default=0.0, ge=0, le=1, description="probability of a block in the way"
    )
    shade: float = Field(
        default=0.0, ge=0, lt=1, description="light from one side: the dark side loses this at most"
    )
    gamma: float = Field(default=0.35, ge=0, lt=1, description="exponent 1 - this to 1 + this")
    gain: float = Field(default=0.25, ge=0, lt=1, description="brightness 1 - this to 1 + this")
    temperature: float = Field(
        default=0.0, ge=0, lt=1, description="red against blue, 1 - this to 1 + this"
    )
    tint: float = Field(default=0.07, ge=0, lt=1, description="each channel, 1 - this to 1 + this")
    blur: float = Field(default=0.3, ge=0, le=1, description="probability; sigma 0.4 to 1.6 pixels")
    noise: float = Field(default=5.0, ge=0, description="grey levels at most")
    jpeg: float = Field(default=0.5, ge=0, le=1, description="probability; quality 30 to 90")


class PadAugment(BaseModel):
    """Strengths of the liveness recipe; what is missing here would destroy the cue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flip: float = Field(default=0.5, ge=0, le=1, description="probability")
    gain: float = Field(default=0.12, ge=0, le=0.3, description="exposure 1 - this to 1 + this")
    offset: float = Field(default=0.06, ge=0, le=0.2, description="of a range of 2")
    tint: float = Field(default=0.03, ge=0, le=0.1, description="each channel")
    noise: float = Field(default=0.012, ge=0, le=0.05, description="of a range of 2, at most")


class PadAuxiliary(BaseModel):
    """Weights of the auxiliary losses of liveness; 0 leaves the head out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fourier: float = Field(default=0.25, ge=0, description="guess the Fourier spectrum")
    pixel: float = Field(default=0.0, ge=0, description="bona fide or attack at every place")
    species: float = Field(default=0.0, ge=0, description="which PAI species, or bona fide")

    @property
    def chosen(self) -> dict[str, float]:
        """The heads that there are, with their weights."""
        return {name: weight for name, weight in self.model_dump().items() if weight}


class TrainParams(BaseModel):
    """Params of the train step; the defaults are those of liveness where the tasks differ."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    epochs: int = Field(default=12, ge=0, description="recognition: 0 = the untouched trunk")
    batch: int = Field(default=64, ge=2)
    lr: float = Field(default=4e-3, gt=0)
    weight_decay: float = Field(default=0.02, ge=0)
    ema: float = Field(default=0.98, ge=0, lt=1, description="decay of averaged weights, 0 = off")
    patience: int = Field(default=0, ge=0, description="early stop after so many epochs, 0 = off")
    accumulate: int = Field(
        default=1, ge=1, description="parts a batch is worked off in: the same batch, less memory"
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="of the forward pass; auto = mixed on a GPU, float32 without"
    )
    seed: int = Field(default=0, ge=0)
    limit: int = Field(
        default=6000, ge=2, description="training pictures at most; a fair draw beyond (memory)"
    )
    views: int = Field(
        default=2, ge=1, description="recognition: augmented copies; liveness: box jitters"
    )
    chip_augment: ChipAugment = Field(
        default=ChipAugment(), description="recognition: what the further views of a chip show"
    )
    pad_augment: PadAugment = Field(
        default=PadAugment(), description="liveness: what a crop goes through in every batch"
    )
    detector: DetectorParams = Field(
        default=DetectorParams(), description="how the crops were found; travels with the model"
    )
    # recognition
    network: Literal[
        "sface", "resnet29", "facenet", "vggface", "ir18", "ir50", "mobilefacenet", "edge"
    ] = Field(
        default="sface",
        description="sface, resnet29: packaged, stay frozen under an adapter; the others are trained",
    )
    network_options: dict[str, int | float] = Field(
        default_factory=dict, description="of a whole network, e.g. width; see its constructor"
    )
    weights: str | None = Field(
        default=None, description="row of the weights table that a whole network starts from"
    )
    freeze: int = Field(
        default=0, ge=0, description="stages of a whole network, from the picture on, that stay"
    )
    head: Literal["softmax", "arcface", "cosface", "adaface", "triplet"] = "arcface"
    head_scale: float = Field(default=24.0, gt=0, description="of the logits; triplet has none")
    head_margin: float | None = Field(
        default=None, ge=0, lt=1.5, description="None = the head's own; arcface: radians"
    )
    teacher: Literal["sface", "resnet29"] | None = Field(
        default=None, description="packaged embedder that a whole network learns from"
    )
    distil_weight: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="share of the teacher in the loss, the head has the rest",
    )
    relation_weight: float = Field(
        default=1.0, ge=0, description="of how faces lie to each other, beside where each lies"
    )
    distil_mix: float = Field(
        default=0.5, ge=0, le=1, description="share of the further views joined from two chips"
    )
    adapter_pull: float = Field(
        default=0.05, ge=0, description="weight of ‖W − start‖²: how much real faces are protected"
    )
    levelling: float = Field(
        default=0.01,
        ge=0,
        description="the adapter starts by evening out what all training faces share; the damping "
        "of that, 0 = off: it starts as the identity",
    )
    only_better: bool = Field(
        default=True,
        description="an adapter with which validation faces are not told apart better is left out",
    )
    # liveness
    pad_side: int = Field(default=96, ge=32, multiple_of=32, description="crop side, pixels")
    pad_scales: tuple[float, ...] = Field(default=(1.0, 2.7), min_length=1)
    pad_network: Literal[
        "lite0-frozen",
        "compact",
        "minifasnet",
        "mobilenet-v3-small",
        "mobilenet-v3-large",
        "efficientnet-b0",
        "xception",
    ] = Field(
        default="lite0-frozen",
        description="our own member: a head on a frozen trunk, or a network that is trained",
    )
    pad_frequency: Literal["none", "fft", "dct"] = Field(
        default="fft", description="branch over the log-spectrum of the crops; not lite0-frozen"
    )
    pad_auxiliary: PadAuxiliary = Field(
        default=PadAuxiliary(), description="weights of the auxiliary losses; not lite0-frozen"
    )
    pad_pretrained: bool = Field(
        default=False, description="begin with ImageNet weights, where the network has them"
    )
    bona_fide_share: float = Field(default=0.5, gt=0, lt=1, description="of every epoch")
    label_smoothing: float = Field(default=0.02, ge=0, lt=0.5)
    pad_member: Literal["auto", "own", "npm-liveness", "deepface-fasnet"] = Field(
        default="auto", description="who decides from `room_min` on; auto = the best to be had"
    )
    room_min: float = Field(default=1.15, gt=0, description="from this room on that member decides")
    pad_member_threshold: float = Field(
        default=0.5, ge=0, le=1, description="its published operating point; never tuned here"
    )

    head_pull: float = Field(
        default=1.5, gt=0, description="lite0-frozen: lambda of mean loss + lambda/2 · ‖weight‖²"
    )
    untouched_share: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="lite0-frozen: of bona fide, what pictures as they came count; the rest went "
        "through the attacks' camera",
    )
    leave_out: tuple[str, ...] = Field(
        default=(),
        description="species=NAME or source=NAME: removed from train and validation, kept in test",
    )

    @field_validator("network_options")
    @classmethod
    def _whole_numbers(cls, given: dict[str, int | float]) -> dict[str, int | float]:
        """Numbers inside a dict arrive as floats."""
        return {k: int(v) if float(v).is_integer() else v for k, v in given.items()}

    @property
    def distil(self) -> float:
        """Share of the teacher in the loss; 0 without one."""
        return self.distil_weight if self.teacher else 0.0

    @property
    def whole(self) -> bool:
        """Whether a whole network is trained, not the adapter of a packaged one."""
        return self.network not in _PACKAGED

    @model_validator(mode="before")
    @classmethod
    def _by_task(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("task") != Task.RECOGNITION:
            return given
        if given.get("network", "sface") in _PACKAGED:
            return {**_RECOGNITION, **given}
        taught = {"views": 8, "lr": 4e-3} if given.get("teacher") else {}
        return {**_WHOLE, **taught, **given}

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainParams":
        if self.whole:
            if self.epochs == 0 and self.weights is None:
                raise ValueError(f"epochs=0 keeps {self.network} at random weights; name `weights`")
            return self
        only_whole = ("weights", "freeze", "teacher", "network_options")
        wrong = [name for name in only_whole if getattr(self, name)]
        if wrong:
            raise ValueError(
                f"{', '.join(wrong)}: {self.network} stays frozen; for a whole network"
            )
        if self.head == "adaface":
            raise ValueError(
                "head=adaface reads the length of an embedding, and an adapter's have length 1; "
                "choose another head, or a whole network"
            )
        return self

    @field_validator("leave_out")
    @classmethod
    def _can_be_left_out(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        try:
            LeftOut.parse(said)
        except BadParameter as error:
            raise ValueError(str(error)) from error
        return said
