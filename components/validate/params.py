"""What decides whether data pass."""

from pydantic import BaseModel, ConfigDict, Field

from vultus.dataset.survey import SurveyParams


class ValidateParams(BaseModel):
    """Thresholds of the suites. The defaults are floors for any data, not targets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_found_share: float = Field(default=0.9, ge=0, le=1, description="pictures with a face")
    min_subjects_train: int = Field(default=4, ge=2)
    min_subjects_per_split: int = Field(default=2, ge=1)
    min_attacks_per_split: int = Field(default=1, ge=0)
    min_box_px: float = Field(default=24, ge=1)
    min_box_inside: float = Field(default=0.6, ge=0, le=1)
    min_unified_quality: float = Field(default=5.0, ge=0, le=100)
    quality_mostly: float = Field(default=0.95, gt=0, le=1, description="share that must reach it")
    max_yaw_deg: float = Field(default=75.0, gt=0)
    near_duplicate_bits: int = Field(default=3, ge=0, le=8)
    same_picture_bits: int = Field(default=1, ge=0, le=8)
    required_attributes: tuple[str, ...] = Field(
        default=(), description="declared for `attribute_mostly` of the pictures"
    )
    attribute_mostly: float = Field(default=0.95, gt=0, le=1)
    stratify_by: tuple[str, ...] = Field(
        default=("sex", "ancestry"),
        description="attributes whose values must be shared out over the splits",
    )
    min_split_chance: float = Field(
        default=0.001,
        ge=0,
        lt=1,
        description="lowest chance, over all strata, of a split as uneven as what is seen",
    )
    max_offending_rows: int = Field(default=10_000, ge=1, description="in the file, an expectation")
    report: SurveyParams = SurveyParams()
