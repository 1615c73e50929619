"""What capture loses: failures to enrol and to acquire, from what the crop step counted."""

from pathlib import Path

import pytest

from components.evaluate.system import capture_figures
from support.evaluated import Bench
from vultus.contracts.evaluation import Figure
from vultus.contracts.faces import FaceCrops
from vultus.metrics import clopper_pearson

RATES = [
    Figure(name=name, value=0.1, low=0.05, high=0.2, n=100)
    for name in ("fnmr_at_fmr_1e-3", "realised_fmr_1e-3")
]


def counted(faces: Bench, folder: Path, facts: dict[str, object]) -> FaceCrops:
    """The crops of the bench with these facts."""
    known = FaceCrops.open(faces.crops)
    crops, lost = known.crops, known.quarantine
    return FaceCrops.write(folder, crops=crops, quarantine=lost, made_by="test", facts=facts)


@pytest.mark.parametrize(("enrolled", "failures"), [(36, 4), (40, 0)])
def test_people_without_a_reference_are_failures_to_enrol(
    faces: Bench, tmp_path: Path, enrolled: int, failures: int
) -> None:
    crops = counted(faces, tmp_path / "crops", {"people": {"offered": 40, "enrolled": enrolled}})
    fte, fta, *_ = capture_figures(crops, RATES, "1e-3")
    low, high = clopper_pearson(failures, 40)
    assert (fte.name, fte.value, fte.n) == ("fte", failures / 40, 40)
    assert (fte.low, fte.high) == (low, high)  # 8.8 % without one failure: above 3 / 40
    assert fta.name == "fta"


def test_crops_that_count_nobody_say_nothing_of_enrolment(faces: Bench, tmp_path: Path) -> None:
    found = capture_figures(counted(faces, tmp_path / "crops", {}), RATES, "1e-3")
    assert [figure.name for figure in found] == ["fta", "gfnmr_at_fmr_1e-3", "gfmr_at_fmr_1e-3"]
