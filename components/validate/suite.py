"""What must hold of FaceCrops before anything is trained on them (great-expectations)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.words import Presentation, Species, Split
from vultus.dataset.survey import SurveyParams


class ValidateParams(BaseModel):
    """Thresholds of the suite. The defaults are floors for any data, not targets."""

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
    report: SurveyParams = SurveyParams()


def face_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a face (`crops_frame`)."""
    import great_expectations.expectations as gxe

    def within(column: str, low: float | None, high: float | None, mostly: float = 1.0) -> Any:
        return gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=low, max_value=high, mostly=mostly
        )

    def one_of(column: str, words: list[str]) -> Any:
        return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=words)

    return [
        gxe.ExpectColumnValuesToNotBeNull(column="subject"),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["image_sha256", "face_index"]),
        one_of("split", [split.value for split in Split]),
        one_of("presentation", [word.value for word in Presentation]),
        one_of("species", [species.value for species in Species]),
        gxe.ExpectColumnValuesToBeInSet(column="species_fits", value_set=[True]),
        within("splits_of_subject", 1, 1),
        within("splits_of_image", 1, 1),
        within("splits_of_hash", 1, 1),
        within("detection_score", 0, 1),
        within("box_width_px", params.min_box_px, None),
        within("box_height_px", params.min_box_px, None),
        within("box_inside", params.min_box_inside, 1.0001, params.quality_mostly),
        within("yaw_deg", -params.max_yaw_deg, params.max_yaw_deg, params.quality_mostly),
        within("quality_unified", params.min_unified_quality, 100, params.quality_mostly),
    ]


def split_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a split (`splits_frame`)."""
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="mated_subjects", min_value=params.min_subjects_per_split
        ),
        gxe.ExpectColumnMaxToBeBetween(column="subjects", min_value=params.min_subjects_train),
        gxe.ExpectColumnValuesToBeBetween(column="attacks", min_value=params.min_attacks_per_split),
        gxe.ExpectColumnMinToBeBetween(column="found_share", min_value=params.min_found_share),
    ]
