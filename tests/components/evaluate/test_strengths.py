"""Attacks by strength: bins are filled evenly, hold every simulated attack once, and count by hand."""

import json

import numpy as np
import pytest

from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import PANEL, Presentations
from components.evaluate.strengths import Curve, figures_of, strength_curves
from vultus.contracts.words import Split

PARAMS = EvaluateParams(replicates=60)


def _presentations(rows: list[dict[str, object]]) -> Presentations:
    scores = {PANEL: np.zeros(len(rows), np.float32)}
    nothing: list[list[str]] = [[] for _ in rows]
    return Presentations(
        Split.TEST,
        rows,  # type: ignore[arg-type]
        np.ones(len(rows)),
        np.zeros(len(rows), np.int64),
        scores,
        nothing,
    )


def _replays(count: int) -> list[dict[str, object]]:
    """Displays of rising resolution; the JSON as the simulator writes it."""
    return [
        {
            "species": "replay",
            "subject": f"person {place % 5}",
            "simulation": json.dumps(
                {"medium": {"pixels_per_pixel": 0.5 + place / 10}, "hold": {"fill": 1.0}}
            ),
        }
        for place in range(count)
    ]


def _of(curves: list[Curve], axis: str) -> Curve:
    return next(curve for curve in curves if curve.axis.name == axis)


def test_a_finer_display_that_passes_is_seen_as_a_rising_curve() -> None:
    rows = _replays(12)
    accepted = np.arange(12) >= 8  # the finest third gets through
    curve = _of(strength_curves(_presentations(rows), accepted, PARAMS), "display")
    assert [figure.value for figure in curve.figures] == [0.0, 0.0, 1.0]
    assert [figure.n for figure in curve.figures] == [4, 4, 4]
    assert curve.bins == ("0.5–0.87", "0.87–1.2", "1.2–1.6")


def test_every_attack_is_in_one_bin_and_bona_fide_in_none() -> None:
    rows = [*_replays(10), {"species": None, "subject": "person 1", "simulation": None}]
    curve = _of(strength_curves(_presentations(rows), np.ones(11, bool), PARAMS), "display")
    assert sum(figure.n for figure in curve.figures) == 10
    assert all(figure.low is not None and figure.high == 1.0 for figure in curve.figures)


def test_what_does_not_vary_or_was_not_simulated_has_no_curve() -> None:
    """`fill` is the same for all; photographed attacks have no strength."""
    curves = strength_curves(_presentations(_replays(9)), np.ones(9, bool), PARAMS)
    assert {curve.axis.name for curve in curves} == {"display"}
    real = [{**row, "simulation": None} for row in _replays(9)]
    assert strength_curves(_presentations(real), np.ones(9, bool), PARAMS) == []


@pytest.mark.parametrize("name", ["print", "mask"])
def test_an_axis_is_read_for_its_species_alone(name: str) -> None:
    rows = [{**row, "species": name} for row in _replays(9)]
    assert strength_curves(_presentations(rows), np.ones(9, bool), PARAMS) == []


def test_no_bin_is_taken_for_the_apcer_of_a_species() -> None:
    """The standards' verdict reads `apcer`, slice `species=…`."""
    curves = strength_curves(_presentations(_replays(12)), np.ones(12, bool), PARAMS)
    assert {figure.name for figure in figures_of(curves)} == {"apcer_at_strength"}
