"""Charts of what there is how often, as SVG in the colours of the palette."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vultus.reports.charts import _canvas, _svg
from vultus.reports.palette import LIGHT, SERIES

Counts = NDArray[np.int64]
_HATCHES = ("", "///", "...", "xx")
_SHADES = 7
_ROW_INCHES = 0.27
_FEWEST_COLUMNS = 4
"""So that a single column is no wall."""


def bar_chart(rows: Sequence[str], parts: Mapping[str, Sequence[int]], xlabel: str) -> bytes:
    """One bar a row, made of parts end to end, the sum behind it.

    Args: parts: label -> count of each row.
    """
    figure, axes = _canvas(height=1.2 + 0.36 * len(rows))
    start = np.zeros(len(rows))
    for place, (label, counts) in enumerate(parts.items()):
        colour = LIGHT[SERIES[place % len(SERIES)]]
        axes.barh(
            range(len(rows)), counts, left=start, color=colour, label=label, height=0.66,
            hatch=_HATCHES[place % len(_HATCHES)], edgecolor=LIGHT["ground"], linewidth=0.6,
        )  # fmt: skip
        start = start + np.array(counts, np.float64)
    for place, whole in enumerate(start):
        axes.annotate(
            f"{int(whole):,}", (float(whole), place), xytext=(4, 0), textcoords="offset points",
            va="center", color=LIGHT["ink"], fontsize=9.5,
        )  # fmt: skip
    axes.set_yticks(range(len(rows)), rows)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, max(1.0, float(start.max())) * 1.16)
    axes.set_xlabel(xlabel)
    axes.tick_params(axis="y", length=0)
    if len(parts) > 1:
        figure.legend(
            loc="outside upper center", ncols=len(parts), frameon=False, labelcolor=LIGHT["ink"]
        )
    return _svg(figure)


def column_chart(
    edges: Sequence[str], parts: Mapping[str, Sequence[int]], xlabel: str, ylabel: str
) -> bytes:
    """Columns of stacked counts, one a named class. Args: parts: label -> count of each class."""
    figure, axes = _canvas()
    bottom = np.zeros(len(edges))
    for place, (label, counts) in enumerate(parts.items()):
        axes.bar(
            range(len(edges)), counts, bottom=bottom, color=LIGHT[SERIES[place % len(SERIES)]],
            hatch=_HATCHES[place % len(_HATCHES)], edgecolor=LIGHT["ground"], linewidth=0.6,
            width=0.86, label=label,
        )  # fmt: skip
        bottom = bottom + np.array(counts, np.float64)
    axes.set_xticks(range(len(edges)), edges)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.5, max(len(edges), _FEWEST_COLUMNS) - 0.5)
    if len(parts) > 1:
        figure.legend(
            loc="outside upper center", ncols=len(parts), frameon=False, labelcolor=LIGHT["ink"]
        )
    return _svg(figure)


def cross_chart(rows: Sequence[str], columns: Sequence[str], counts: Counts, enough: int) -> bytes:
    """A table of counts one can look at: darker = more; framed = fewer than enough; "0" = none.

    Args: counts: int64 [rows, columns].
    """
    figure, axes = _canvas(height=1.0 + _ROW_INCHES * len(rows))
    most = float(np.log1p(max(int(counts.max(initial=1)), enough)))
    for (row, column), count in np.ndenumerate(counts):
        shade = _shade(int(count), most)
        box = _box(column, row)
        axes.fill(*box, color=LIGHT["blue"], alpha=0.62 * shade, linewidth=0)
        if count < enough:
            axes.plot(
                [*box[0], box[0][0]], [*box[1], box[1][0]], color=LIGHT["fail"], linewidth=1.3,
                linestyle="-" if count == 0 else (0, (3, 2)),
            )  # fmt: skip
        axes.text(
            column, row, f"{int(count):,}", ha="center", va="center", fontsize=9.5,
            color=LIGHT["fail"] if count == 0 else LIGHT["ink"],
        )  # fmt: skip
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return _svg(figure)


def density_chart(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    limits: tuple[float, float],
    labels: Sequence[str],
) -> bytes:
    """Where pairs of values lie, in squares; darker = more. Args: x, y: [N]; limits: +- of both."""
    figure, axes = _canvas()
    edges = [
        np.linspace(-limit, limit, bins + 1) for limit, bins in zip(limits, (30, 20), strict=True)
    ]
    inside = [np.clip(v, -limit, limit) for v, limit in zip((x, y), limits, strict=True)]
    counts = np.histogram2d(inside[0], inside[1], bins=(edges[0], edges[1]))[0]
    most = float(np.log1p(max(1.0, float(counts.max()))))
    for (across, down), count in np.ndenumerate(counts):
        if count:
            shade = _shade(int(count), most)
            corners = edges[0][across : across + 2], edges[1][down : down + 2]
            axes.fill(
                [corners[0][0], corners[0][1], corners[0][1], corners[0][0]],
                [corners[1][0], corners[1][0], corners[1][1], corners[1][1]],
                color=LIGHT["blue"], alpha=0.9 * shade, linewidth=0,
            )  # fmt: skip
    axes.axhline(0, color=LIGHT["line"], linewidth=0.8)
    axes.axvline(0, color=LIGHT["line"], linewidth=0.8)
    axes.set_xlim(-limits[0], limits[0])
    axes.set_ylim(limits[1], -limits[1])
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return _svg(figure)


def _shade(count: int, most: float) -> float:
    """One of _SHADES steps up to 1. Args: most: log1p of the highest count."""
    # 7 * x / x may be a trifle more than 7.
    return min(1.0, float(np.ceil(_SHADES * np.log1p(count) / most)) / _SHADES)


def _box(column: int, row: int) -> tuple[list[float], list[float]]:
    half = 0.46
    across = [column - half, column + half, column + half, column - half]
    down = [row - half, row - half, row + half, row + half]
    return across, down
