"""Sweeps: where a curve doubles, and what the step writes of worse conditions."""

from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from components.evaluate.sweeps import crossing
from support.evaluated import Bench, Judged
from vultus.attacks.conditions import CONDITIONS
from vultus.contracts.evaluation import CONDITION_POINTS, EvaluationReport

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("curve", "place"),
    [
        ([0.02, 0.04, 0.5], 1.0),
        ([0.02, 0.03, 0.05], 1.5),
        ([0.0, 0.04, 0.5], 0.5),  # nothing counts as 1 %, and is doubled at 2 %
        ([0.1, 0.1, 0.19], np.inf),
        ([0.1, 0.3, 0.1], 0.5),
    ],
)
def test_where_a_curve_doubles(curve: list[float], place: float) -> None:
    assert crossing(np.array(curve)) == pytest.approx(place)


@pytest.fixture(scope="module")
def swept(faces: Bench) -> EvaluationReport:
    return faces.evaluate(faces.root / "swept", worst=2, condition_faces=4, condition_strengths=2)[
        1
    ]


def test_every_condition_has_both_rates_at_every_strength(swept: EvaluationReport) -> None:
    points = swept.table("conditions.parquet")
    assert points.schema.equals(CONDITION_POINTS)
    simulated = points.filter(pc.not_equal(points["family"], "observed"))
    assert set(simulated["condition"].to_pylist()) == {one.name for one in CONDITIONS}
    assert simulated.num_rows == len(CONDITIONS) * 2 * 2
    for row in simulated.to_pylist():
        assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
        assert row["n"] > 0


def test_untouched_means_the_same_for_each_condition(swept: EvaluationReport) -> None:
    rows = swept.table("conditions.parquet").to_pylist()
    starts = {one.name: one.strengths[0] for one in CONDITIONS}
    first = [r for r in rows if r["strength"] == starts.get(r["condition"], np.nan)]
    assert len(first) == 2 * len(CONDITIONS)
    for figure in ("fnmr", "fmr"):
        assert len({r["value"] for r in first if r["figure"] == figure}) == 1


def test_the_report_shows_them_and_says_simulated(swept: EvaluationReport) -> None:
    page = (swept.path / "report.html").read_text()
    assert "Under worse conditions (simulated)" in page
    for condition in CONDITIONS:
        assert condition.label in page
    doubling = [f for f in swept.figures if f.name == "fnmr_doubles_at"]
    assert {f.slice for f in doubling} == {f"condition={one.name}" for one in CONDITIONS}
    assert all("simulated" in f.method for f in doubling)


def test_no_faces_no_sweep(judged: Judged) -> None:
    _, written = judged
    assert written.table("conditions.parquet").num_rows == 0
    assert "worse conditions" not in (written.path / "report.html").read_text()


def test_gradient_attacks_are_counted_at_the_shared_threshold(faces: Bench, tmp_path: Path) -> None:
    _, written = faces.evaluate(tmp_path / "out", worst=2, adversarial_faces=2)
    found = {f.slice: f for f in written.figures if f.name == "adversarial_success"}
    # Two goals; three strengths of three attacks, and the sticker.
    assert len(found) == 2 * (3 * 3 + 1)
    for figure in found.values():
        assert (figure.n, figure.value in (0.0, 0.5, 1.0)) == (2, True)
    for goal in ("impersonation", "evasion"):
        once, often = (
            found[f"attack={attack},goal={goal},levels=8"].value for attack in ("FGSM", "PGD")
        )
        assert once is not None
        assert often is not None
        assert often >= max(once, 0.5)  # an unprotected network gives way
    assert "Adversarial pictures (simulated)" in (written.path / "report.html").read_text()
