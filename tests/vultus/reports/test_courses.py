"""Charts over time: whole, in the palette, and right about the median."""

from datetime import UTC, datetime

import numpy as np
import pytest

from vultus.reports.courses import Course, course_chart, running_median, share_chart
from vultus.reports.palette import LIGHT


def course(values: np.ndarray) -> Course:
    start = np.datetime64("2026-03-02T08:00:00.000", "ms")
    times = start + np.arange(len(values)) * np.timedelta64(60_000, "ms")
    began = datetime(2026, 3, 2, 8, 5, tzinfo=UTC)
    return Course(values, times, (0.1, 0.2, 0.3), (began, began.replace(hour=9)))


@pytest.mark.parametrize("n", [1, 7, 3000])
def test_any_number_of_requests_makes_a_chart(n: int) -> None:
    values = np.random.default_rng(0).random(n)
    for drawing in (
        course_chart(course(values), "score"),
        share_chart(course((values > 0.9).astype(float)), "attacks, %"),
    ):
        assert drawing.startswith(b"<?xml")
        assert LIGHT["blue"].encode() in drawing
        assert b"time, UTC" in drawing
        assert len(drawing) < 200_000


def test_the_line_is_the_median_of_each_stretch() -> None:
    values = np.repeat([0.0, 1.0], 240)
    values[5] = 1000.0
    one = course(values)
    times, medians = running_median(one.times, one.values)
    assert set(medians) == {0.0, 1.0}
    assert np.all(np.diff(times) > np.timedelta64(0))
    assert medians.tolist() == sorted(medians)
