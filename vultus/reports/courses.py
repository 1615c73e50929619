"""Charts of a quantity over the time of a window, as SVG in the colours of the palette."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.reports.charts import _canvas, _svg
from vultus.reports.palette import LIGHT

_MARKS = 600
"""Marks a chart draws at most: more cover each other, and every one costs 60 bytes of the page."""
_BINS = 24


@dataclass(frozen=True)
class Course:
    """values float64 [N] at times datetime64[ms] [N], oldest first, N >= 1; what was usual before.

    usual: quantiles 5 %, 50 %, 95 % of the reference; changed: start and end of the change.
    """

    values: NDArray[np.float64]
    times: NDArray[np.datetime64]
    usual: tuple[float, float, float]
    changed: tuple[datetime, datetime] | None = None


def course_chart(course: Course, label: str) -> bytes:
    """Every request as a mark, the median of each stretch as a line, what is usual as a band."""
    figure, axes = _canvas()
    shown = np.linspace(0, course.values.size - 1, min(_MARKS, course.values.size)).astype(int)
    marks = {"color": LIGHT["blue"], "markersize": 3, "alpha": 0.4, "mew": 0}
    axes.plot(course.times[shown], course.values[shown], ".", **marks)
    x, y = running_median(course.times, course.values)
    axes.plot(x, y, color=LIGHT["blue"], linewidth=2, label="now: each request, median")
    _surroundings(axes, course, label, "usual: median, 90 % band")
    return _svg(figure)


def share_chart(course: Course, label: str) -> bytes:
    """Share of ones in each stretch of equally many requests; values are 0 and 1.

    `course.usual`: low, value and high of the usual share.
    """
    figure, axes = _canvas()
    parts = _parts(course.values.size)
    stamps = np.array_split(course.times.astype("datetime64[ms]").astype(np.int64), parts)
    shares = [100 * float(part.mean()) for part in np.array_split(course.values, parts)]
    edges = np.array([part[0] for part in stamps] + [stamps[-1][-1]]).astype("datetime64[ms]")
    heights = [*shares, shares[-1]]
    axes.fill_between(edges, heights, step="post", color=LIGHT["blue"], alpha=0.18, linewidth=0)
    axes.step(edges, heights, where="post", color=LIGHT["blue"], linewidth=1.8, label="now")
    low, middle, high = (100 * one for one in course.usual)
    percent = Course(course.values, course.times, (low, middle, high), course.changed)
    _surroundings(axes, percent, label, "usual, 95 % interval")
    axes.set_ylim(bottom=0)
    return _svg(figure)


def _surroundings(axes: Any, course: Course, label: str, usual: str) -> None:
    """The usual band, the stretch that changed, and the axes."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    low, middle, high = course.usual
    axes.axhspan(low, high, color=LIGHT["teal"], alpha=0.16, linewidth=0)
    axes.axhline(middle, color=LIGHT["teal"], linewidth=1.2, label=usual)
    if course.changed is not None:
        axes.axvline(course.changed[0], color=LIGHT["fail"], linewidth=1.2, linestyle=(0, (4, 3)))
        axes.axvspan(*course.changed, color=LIGHT["fail"], alpha=0.07, linewidth=0)
    locator = AutoDateLocator(minticks=3, maxticks=7, tz=UTC)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))
    axes.set_ylabel(label)
    axes.set_xlabel("time, UTC")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def running_median(
    times: NDArray[np.datetime64], values: NDArray[np.float64]
) -> tuple[NDArray[np.datetime64], NDArray[np.float64]]:
    """Median time and value of up to 24 stretches of equally many requests."""
    parts = _parts(values.size)
    stamps = times.astype("datetime64[ms]").astype(np.int64)
    x = [np.median(part) for part in np.array_split(stamps, parts)]
    y = [float(np.median(part)) for part in np.array_split(values, parts)]
    return np.array(x, np.int64).astype("datetime64[ms]"), np.array(y)


def _parts(requests: int) -> int:
    return min(_BINS, max(1, requests // 8))
