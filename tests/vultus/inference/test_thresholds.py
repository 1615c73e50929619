"""From a requested FMR to a threshold."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.promoted import write_recogniser
from vultus.contracts.models import ModelVersion
from vultus.errors import BadArtifact, BadParameter
from vultus.inference.thresholds import Thresholds

ROWS = Thresholds(
    score=np.array([0.2, 0.6, 0.8, 0.9], np.float32),
    llr=np.array([-3, 1, 3, 4], np.float32),
    fmr=np.array([0.1, 0.01, 0.001, 0.0]),
    fmr_high=np.array([0.12, 0.02, 0.004, 0.003]),
)
ASKED = st.floats(1e-9, 0.5, allow_nan=False)


@pytest.mark.parametrize(
    ("fmr", "threshold"), [(0.1, 0.2), (0.05, 0.6), (0.01, 0.6), (0.001, 0.8), (1e-7, 0.9)]
)
def test_the_smallest_threshold_that_keeps_the_fmr(fmr: float, threshold: float) -> None:
    assert ROWS.at(fmr) == pytest.approx(threshold)


def test_beyond_the_data_the_strictest_threshold_is_taken() -> None:
    coarse = Thresholds(ROWS.score[:2], ROWS.llr[:2], ROWS.fmr[:2], ROWS.fmr_high[:2])
    assert coarse.at(1e-6) == pytest.approx(0.6)
    assert not coarse.supported(1e-6)


def test_support_is_said_by_the_upper_bound() -> None:
    assert ROWS.supported(0.003)
    assert not ROWS.supported(0.002)


@given(asked=ASKED, other=ASKED)
def test_a_lower_fmr_never_lowers_the_threshold(asked: float, other: float) -> None:
    assert ROWS.at(min(asked, other)) >= ROWS.at(max(asked, other))


@pytest.mark.parametrize("fmr", [0.0, 1.0, -0.1, float("nan")])
def test_an_impossible_fmr_is_refused(fmr: float) -> None:
    with pytest.raises(BadParameter, match="between 0 and 1"):
        ROWS.at(fmr)


def test_a_version_is_read_in_any_order(tmp_path: Path) -> None:
    rows = ((0.9, 0.0, 0.01), (0.1, 0.5, 0.6))
    folder = write_recogniser(tmp_path, rows=rows)
    read = Thresholds.read(ModelVersion.open(folder))
    assert read.at(0.5) == pytest.approx(0.1)
    assert read.at(0.4) == pytest.approx(0.9)
    assert read.llr_of(0.9) == pytest.approx(4.0, abs=1e-5)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadArtifact, match="evaluate and register"):
        Thresholds.read(ModelVersion.open(write_recogniser(tmp_path, rows=())))
