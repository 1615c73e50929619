"""What must hold of RawFaces and FaceCrops before anything is trained (great-expectations)."""

from collections.abc import Iterable
from typing import Any

from components.validate.params import ValidateParams
from components.validate.within import within_expectation
from vultus.contracts.words import (
    QUALITY_COMPONENTS,
    ContextKind,
    Presentation,
    Species,
    Split,
)
from vultus.dataset.straddle import ACROSS_SPLITS, TWO_IDENTITIES


def raw_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a picture (`raw_frame`)."""
    import great_expectations.expectations as gxe

    return [
        *_shared(params),
        gxe.ExpectColumnValuesToBeUnique(column="image"),
        _within("bytes", 1, None),
    ]


def face_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a face (`crops_frame`)."""
    import great_expectations.expectations as gxe

    return [
        *_shared(params),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["image", "face_index"]),
        _one_of("context_kind", ContextKind),
        _holds(ACROSS_SPLITS, False),
        _holds(TWO_IDENTITIES, False),
        _within("detection_score", 0, 1),
        _within("box_width_px", params.min_box_px, None),
        _within("box_height_px", params.min_box_px, None),
        _within("box_inside", params.min_box_inside, 1.0001, params.quality_mostly),
        _within("yaw_deg", -params.max_yaw_deg, params.max_yaw_deg, params.quality_mostly),
        _within("quality_unified", params.min_unified_quality, 100, params.quality_mostly),
        *(
            expectation
            for name in QUALITY_COMPONENTS
            for expectation in (
                gxe.ExpectColumnValuesToNotBeNull(column=f"quality_{name}"),
                _within(f"quality_{name}", 0, 100),
            )
        ),
    ]


def split_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a split (`splits_frame`)."""
    import great_expectations.expectations as gxe

    return [
        _within("mated_subjects", params.min_subjects_per_split, None),
        gxe.ExpectColumnMaxToBeBetween(column="subjects", min_value=params.min_subjects_train),
        _within("attacks", params.min_attacks_per_split, None),
        gxe.ExpectColumnMinToBeBetween(column="found_share", min_value=params.min_found_share),
    ]


def strata_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on one row a stratum and split (`strata_frame`)."""
    return [_within("chance", params.min_split_chance, 1)]


def _shared(params: ValidateParams) -> list[Any]:
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnValuesToNotBeNull(column="subject"),
        _one_of("split", Split),
        _one_of("presentation", Presentation),
        _one_of("species", Species),
        _holds("species_fits", True),
        _holds("simulation_fits", True),
        _holds("digests_whole", True),
        _within("splits_of_subject", 1, 1),
        _within("splits_of_image", 1, 1),
        _within("width", 1, None),
        _within("height", 1, None),
        gxe.ExpectColumnValuesToNotBeNull(column="licence"),
        *(
            gxe.ExpectColumnValuesToNotBeNull(
                column=f"attribute_{name}", mostly=params.attribute_mostly
            )
            for name in params.required_attributes
        ),
    ]


def _within(column: str, low: float | None, high: float | None, mostly: float = 1.0) -> Any:
    return within_expectation()(column=column, min_value=low, max_value=high, mostly=mostly)


def _one_of(column: str, words: Iterable[str]) -> Any:
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[str(word) for word in words])


def _holds(column: str, value: bool) -> Any:
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[value])
