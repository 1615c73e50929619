"""A rate against how bad a condition is: line, interval as a band, and what is twice the start."""

from collections.abc import Sequence

from vultus.reports.charts import _canvas, _svg
from vultus.reports.palette import LIGHT

_LEAST_SPAN = 5.0


def sweep_chart(
    points: Sequence[tuple[str, float, float, float]],
    xlabel: str,
    doubled: float | None = None,
    ylabel: str = "FNMR, %",
) -> bytes:
    """Points at even distances, the mildest on the left, joined by lines.

    Args: points: label, value, low, high in per cent, at least one; doubled: a horizontal line.
    """
    figure, axes = _canvas(height=2.6)
    places = list(range(len(points)))
    values = [value for _, value, _, _ in points]
    lows, highs = [p[2] for p in points], [p[3] for p in points]
    axes.fill_between(places, lows, highs, color=LIGHT["blue"], alpha=0.16, linewidth=0)
    axes.plot(places, values, "o-", color=LIGHT["blue"], linewidth=1.8, markersize=5, clip_on=False)
    if doubled is not None:
        axes.axhline(doubled, color=LIGHT["fail"], linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set_xticks(places, [label for label, *_ in points])
    axes.set_ylim(0, max(_LEAST_SPAN, 1.08 * max(highs)))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(axis="y", color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)
