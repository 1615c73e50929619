"""How rates are written in reports."""

import numpy as np
import pytest

from components.evaluate.groups import _figure
from components.evaluate.wording import per_cent


@pytest.mark.parametrize(
    ("rate", "written"),
    [(0.0, "0.00"), (1.0, "100.00"), (0.0324, "3.24"), (0.00067, "0.067"), (2.61e-5, "0.0026"),
     (1.23e-7, "0.000012")],
)  # fmt: skip
def test_a_small_rate_keeps_two_digits_that_count(rate: float, written: str) -> None:
    assert per_cent(rate) == written


def test_an_interval_of_a_ratio_holds_its_value() -> None:
    """Most draws of few people leave a group without an error: their ratio has no end."""
    drawn = np.full(400, np.inf)
    drawn[:40] = 50.0
    made = _figure("fmr_worst_to_best", "sex", np.concatenate([[26.0], drawn]), 100, 2)
    assert made.value == 26.0
    assert made.low is not None
    assert made.low <= 26.0
    assert made.high is None
