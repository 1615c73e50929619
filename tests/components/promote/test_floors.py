"""What any version must reach, champion or not."""

import re
from pathlib import Path

import pytest

from components.promote.gate import floor_reasons
from components.promote.params import PromoteParams
from support.joined import panel, recogniser
from vultus.contracts.words import Evidence

OWN = ("own", 0.0, 1e9, Evidence.SIMULATED)


def test_a_good_version_stands_on_the_floors(tmp_path: Path) -> None:
    assert list(floor_reasons(recogniser(tmp_path), PromoteParams())) == []


@pytest.mark.parametrize(
    ("made", "rules", "said"),
    [
        ({"gap": 0.5}, {}, "EER on the test split is 0.[0-9]+, the floor is 0.15"),
        ({"off": 0.01}, {}, "differs from the trained one by 0.01"),
        ({}, {"max_model_mb": 1e-4}, "the networks weigh"),
    ],
)
def test_each_floor_says_what_was_found_and_what_was_asked(
    tmp_path: Path, made: dict[str, float], rules: dict[str, float], said: str
) -> None:
    (reason,) = floor_reasons(recogniser(tmp_path, **made), PromoteParams(**rules))  # type: ignore[arg-type]
    assert re.search(said, reason)


def test_a_figure_that_is_no_number_is_refused(tmp_path: Path) -> None:
    made = recogniser(tmp_path)
    file = made.path / "figures.json"
    file.write_text(re.sub(r'"value":[0-9.e-]+', '"value":NaN', file.read_text(), count=1))
    assert "test split is nan" in next(iter(floor_reasons(made, PromoteParams())))


def test_the_floor_of_pad_looks_at_the_lower_end_of_the_interval(tmp_path: Path) -> None:
    assert list(floor_reasons(panel(tmp_path / "good", OWN), PromoteParams())) == []
    weak = panel(tmp_path / "weak", OWN, auc_low=0.55)
    assert "0.55" in next(iter(floor_reasons(weak, PromoteParams())))


@pytest.mark.parametrize("bpcer", [0.85, float("nan")])
def test_a_panel_that_refuses_most_people_at_its_own_thresholds_is_below_the_floor(
    tmp_path: Path, bpcer: float
) -> None:
    """It may rank better than the champion: the comparison lets both choose a threshold."""
    made = panel(tmp_path, OWN, bpcer=bpcer)
    (reason,) = floor_reasons(made, PromoteParams())
    assert re.search(
        "BPCER on the test split is (0.85|None) at the thresholds .* floor is 0.5", reason
    )
    if bpcer == 0.85:
        assert list(floor_reasons(made, PromoteParams(max_bpcer=0.9))) == []
