"""What decides an evaluation."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator


class EvaluateParams(BaseModel):
    """Trials, operating points and requirements. Requirements are guesses until a site sets its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, description="of draws and of the bootstrap")
    pictures: int = Field(
        default=2000, ge=2, description="of one split, drawn fairly by subject or PAI species"
    )
    non_mated: int = Field(
        default=20_000,
        ge=1,
        description="comparisons of one split that are listed, drawn fairly by subject pair",
    )
    fmr: float = Field(
        default=1e-3, gt=0, lt=1, description="FMR of the decisions in report and reference window"
    )
    fmrs: tuple[float, ...] = Field(
        default=(1e-2, 1e-3), min_length=1, description="FMRs at which FNMR is reported"
    )
    levels: tuple[float, ...] = Field(
        default=(1e-2, 1e-3, 1e-4, 1e-5, 1e-6),
        description="further FMRs in the table of thresholds, as far as the trials carry",
    )
    max_bpcer: float = Field(
        default=0.05, gt=0, lt=1, description="on validation, sets a PAD member's threshold"
    )
    min_room_trials: int = Field(
        default=20,
        ge=1,
        description="bona fide of its own room from which a member's threshold is set there",
    )
    replicates: int = Field(default=400, ge=50, description="bootstrap over subjects")
    min_slice: int = Field(default=30, ge=1, description="trials of a kind that a slice needs")
    condition_faces: int = Field(
        default=16,
        ge=0,
        description="recognition: probes that go through every worse condition, 0 = none; a full "
        "sweep takes 400",
    )
    condition_strengths: int = Field(
        default=4, ge=2, description="of each condition, untouched and worst among them; all = 6"
    )
    adversarial_faces: int = Field(
        default=0,
        ge=0,
        description="trials that gradient attacks are tried on, 0 = none; 16 take some minutes",
    )
    beside: tuple[str, ...] = Field(
        default=(),
        description="public models judged on the same trials in the report, e.g. sface, resnet29, "
        "npm-liveness; all = every one of the task; takes a minute a model",
    )
    calibration: int = Field(
        default=64,
        ge=1,
        description="pictures of the train split named for networks that are made int8 later",
    )
    reference_rows: int = Field(default=1000, ge=0, description="reference window of monitoring")
    worst: int = Field(
        default=6, ge=0, description="faces of each kind shown in the report, 0 = show no face"
    )
    require_eer: float = Field(default=0.05, gt=0, lt=1, description="recognition, at most")
    require_fnmr: float = Field(default=0.05, gt=0, lt=1, description="at each of fmrs, at most")
    require_apcer: float = Field(default=0.1, gt=0, lt=1, description="worst species, at most")
    require_bpcer: float = Field(default=0.1, gt=0, lt=1, description="at most")
    recogniser: str | None = Field(
        default=None,
        pattern="^models:/.+",
        description="PAD: the registered version with which IAPAR is counted, "
        "models:/vultus-recognition/3; `vultus run` names the champion; null = not counted",
    )

    @field_validator("beside", mode="before")
    @classmethod
    def _said_in_one_word(cls, given: Any) -> Any:
        """`--set evaluate.beside=all` and `=sface,resnet29` are lists too."""
        return [one.strip() for one in given.split(",")] if isinstance(given, str) else given
