"""What a training computes. Everything here is logged and decides the weights."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vultus.contracts.transform import DetectorParams
from vultus.contracts.words import Task

_RECOGNITION: dict[str, Any] = {
    "epochs": 30, "batch": 64, "lr": 2e-3, "weight_decay": 0.0, "ema": 0.0, "views": 2,
}  # fmt: skip
"""Defaults that differ where only the adapter is trained."""


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
    trunk: Literal["sface", "resnet29"] = Field(
        default="sface", description="packaged embedder; resnet29 is faster and less accurate"
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
    arcface_scale: float = Field(default=24.0, gt=0)
    arcface_margin: float = Field(default=0.3, ge=0, lt=1.5, description="radians")
    # liveness
    pad_side: int = Field(default=96, ge=32, multiple_of=32, description="crop side, pixels")
    pad_scales: tuple[float, ...] = Field(default=(1.0, 2.7), min_length=1)
    pad_network: Literal[
        "compact",
        "minifasnet",
        "mobilenet-v3-small",
        "mobilenet-v3-large",
        "efficientnet-b0",
        "xception",
    ] = Field(default="compact", description="what our own member is")
    pad_frequency: Literal["none", "fft", "dct"] = Field(
        default="fft", description="branch that reads the log-spectrum of the crops"
    )
    pad_auxiliary: PadAuxiliary = Field(
        default=PadAuxiliary(), description="weights of the auxiliary losses"
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

    @model_validator(mode="before")
    @classmethod
    def _by_task(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("task") == Task.RECOGNITION:
            return {**_RECOGNITION, **given}
        return given
