"""Charts as SVG in the colours of the palette; HTML recolours them, the PDF takes them as they are."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import RgbImage, Scores
from vultus.reports.palette import LIGHT, SERIES

Curve = NDArray[np.float64]
_TICKS = (1e-6, 1e-5, 1e-4, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
_FINEST, _LEAST, _MOST = 1e-6, 0.0005, 0.55
_SIZE = (
    5.2,
    3.5,
)  # inches; an SVG 374 wide: its text is about 10 px on a screen of 400
_SOME = 5
"""Trials below which a point of the reliability chart is left out."""
_MARKS = "os^Dv"
_DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class DetCurve:
    """Two error rates in step, float64 [M] each, and an operating point on them, if any.

    band: false accept rates, and the ends of the interval of the false reject rate at each.
    """

    false_accept: Curve
    false_reject: Curve
    point: tuple[float, float] | None = None
    band: tuple[Curve, Curve, Curve] | None = None


def det_chart(curves: Mapping[str, DetCurve], accept: str, reject: str) -> bytes:
    """Detection error trade-off on normal-deviate axes: a straight line for normal scores.

    Args: curves: label -> curve; accept, reject: names of the axes, e.g. "FMR", "FNMR".
    Source: Martin et al., The DET curve in assessment of detection task performance, 1997.
    """
    figure, axes = _canvas()
    least = (
        _least_of([curve.false_accept for curve in curves.values()]),
        _least_of([curve.false_reject for curve in curves.values()]),
    )
    for place, (label, curve) in enumerate(curves.items()):
        x, y = map(_deviate, (curve.false_accept, curve.false_reject), least)
        colour = LIGHT[SERIES[place % len(SERIES)]]
        dash = _DASHES[place % len(_DASHES)]
        if curve.band is not None:
            at, low, high = map(_deviate, curve.band, (least[0], least[1], least[1]))
            axes.fill_between(at, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(x, y, color=colour, linestyle=dash, linewidth=1.8, label=label)
        if curve.point is not None:
            mark = [_deviate(np.array([v]), end) for v, end in zip(curve.point, least, strict=True)]
            axes.plot(*mark, marker="o", color=colour, markersize=6, clip_on=False)
    for axis, end, limit in zip((axes.xaxis, axes.yaxis), least, ("xlim", "ylim"), strict=True):
        ticks = [tick for tick in _TICKS if tick >= end]
        axis.set_ticks(_deviate(np.array(ticks), end), [f"{100 * tick:g}" for tick in ticks])
        axes.set(**{limit: _deviate(np.array([end, _MOST]), end)})
    axes.set_xlabel(f"{accept}, %")
    axes.set_ylabel(f"{reject}, %")
    axes.grid(color=LIGHT["line"], linewidth=0.6)
    if len(curves) > 1:
        axes.legend(frameon=False, labelcolor=LIGHT["ink"])
    return _svg(figure)


def cmc_chart(found: Curve, low: Curve, high: Curve) -> bytes:
    """Share of searches whose mate is among the first k, with its interval; float64 [K], k from 1."""
    figure, axes = _canvas()
    ranks = np.arange(1, len(found) + 1)
    axes.fill_between(ranks, 100 * low, 100 * high, color=LIGHT["blue"], alpha=0.16, linewidth=0)
    axes.plot(ranks, 100 * found, "o-", color=LIGHT["blue"], linewidth=1.6, markersize=4)
    axes.set_xlabel("candidates looked at")
    axes.set_ylabel("mate among them, %")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)


def histogram_chart(
    groups: Mapping[str, Scores], xlabel: str, threshold: float | None = None, bins: int = 40
) -> bytes:
    """Scores of each group as a share of the group, on one axis.

    Args: groups: label -> scores [N], N >= 1; threshold: a vertical line.
    """
    figure, axes = _canvas()
    everything = np.concatenate(list(groups.values()))
    edges = np.linspace(float(everything.min()), float(everything.max()) + 1e-6, bins + 1)
    for place, (label, scores) in enumerate(groups.items()):
        colour = LIGHT[SERIES[place % len(SERIES)]]
        share = np.histogram(scores, edges)[0] / len(scores)
        axes.stairs(100 * share, edges, color=colour, alpha=0.18, fill=True)
        axes.stairs(
            100 * share,
            edges,
            color=colour,
            linewidth=1.6,
            linestyle=_DASHES[place % len(_DASHES)],
            label=f"{label} ({len(scores):,})",
        )
    _threshold_line(axes, threshold, vertical=True)
    axes.set_xlabel(xlabel)
    axes.set_ylabel("share of the group, %")
    axes.legend(frameon=False, labelcolor=LIGHT["ink"])
    return _svg(figure)


def strip_chart(
    groups: Mapping[str, Scores], xlabel: str, thresholds: Mapping[str, float] | None = None
) -> bytes:
    """Every score of every group as a mark on the group's own line, with median and quartiles.

    Args: groups: label -> scores [N], N >= 1; thresholds: label -> vertical line across all groups.
    """
    figure, axes = _canvas(height=0.9 + 0.55 * len(groups))
    rng = np.random.default_rng(0)  # only moves marks apart
    for place, (_, scores) in enumerate(groups.items()):
        colour = LIGHT[SERIES[0] if place == 0 else SERIES[1]]
        spread = place + rng.uniform(-0.26, 0.26, len(scores))
        axes.plot(scores, spread, ".", color=colour, markersize=3.5, alpha=0.5, mew=0)
        low, middle, high = np.quantile(scores, [0.25, 0.5, 0.75])
        axes.plot([low, high], [place, place], color=LIGHT["ink"], linewidth=2.2)
        axes.plot([middle], [place], "o", color=LIGHT["ink"], markersize=5)
    for value in (thresholds or {}).values():
        _threshold_line(axes, value, vertical=True)
    axes.set_yticks(range(len(groups)), [f"{k} ({len(v):,})" for k, v in groups.items()])
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(xlabel)
    axes.grid(axis="x", color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)


def reliability_chart(llr: Curve, positive: NDArray[np.bool_], bins: int = 8) -> bytes:
    """Said against seen: among trials told a chance of p, is the share of positive ones p?

    The chance is for a prior of one half; trials are weighed so that both kinds count alike.

    Args: llr float64 [N], natural log; positive bool [N], both kinds present.
    """
    figure, axes = _canvas()
    said = 1 / (1 + np.exp(-np.clip(llr, -30, 30)))
    weight = np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())
    place = np.clip((said * bins).astype(int), 0, bins - 1)
    axes.plot([0, 1], [0, 1], color=LIGHT["quiet"], linestyle="--", linewidth=1)
    whole = np.bincount(place, weight, bins)
    some = np.bincount(place, minlength=bins) >= _SOME
    x = np.bincount(place, weight * said, bins)[some] / whole[some]
    y = np.bincount(place, weight * positive, bins)[some] / whole[some]
    axes.plot(x, y, color=LIGHT["blue"], linewidth=1.6)
    axes.scatter(x, y, s=20 + 400 * whole[some], color=LIGHT["blue"], alpha=0.55, linewidths=0)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlabel("chance that the calibrated score gives")
    axes.set_ylabel("share that came true")
    axes.grid(color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)


def interval_chart(
    rows: Sequence[tuple[str, float, float, float]], xlabel: str, limit: float | None = None
) -> bytes:
    """Value and interval of each slice, one below the other. Args: rows: label, value, low, high."""
    figure, axes = _canvas(height=0.9 + 0.3 * len(rows))
    for place, (_, value, low, high) in enumerate(rows):
        axes.plot([low, high], [place, place], color=LIGHT["blue"], linewidth=2)
        axes.plot([value], [place], "o", color=LIGHT["blue"], markersize=5)
    _threshold_line(axes, limit, vertical=True)
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(xlabel)
    axes.grid(axis="x", color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)


def scatter_chart(points: Sequence[tuple[str, float, float]], xlabel: str, ylabel: str) -> bytes:
    """Named points; good ones lie down left. Args: points: label, x >= 0, y >= 0."""
    figure, axes = _canvas(height=_SIZE[1] + 0.22 * len(points))
    for place, (label, x, y) in enumerate(points):
        axes.plot(
            [x],
            [y],
            _MARKS[place % len(_MARKS)],
            color=LIGHT[SERIES[place % len(SERIES)]],
            markersize=8,
            alpha=0.8,
            clip_on=False,
            label=label,
        )
    figure.legend(loc="outside lower left", frameon=False, labelcolor=LIGHT["ink"])
    axes.set_xlim(0, 1.2 * max(x for _, x, _ in points) or 1)
    axes.set_ylim(0, 1.2 * max(y for *_, y in points) or 1)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(color=LIGHT["line"], linewidth=0.6)
    return _svg(figure)


def sheet(
    tiles: Sequence[Sequence[RgbImage]], side_px: int = 112, columns: int = 6, ground: int = 190
) -> bytes:
    """Groups of pictures as one JPEG: each group in a row of its own tile, tiles in a grid.

    Args: tiles: groups of RGB uint8 [H, W, 3], at least one picture each, all of one length;
        ground: grey level between and behind the tiles.
    """
    import cv2

    length = len(tiles[0])
    across = max(1, columns // length)
    lines = -(-len(tiles) // across)
    gap = 8
    width = across * length * side_px + (across - 1) * 2 * gap
    canvas = np.full((lines * side_px + (lines - 1) * gap, width, 3), ground, np.uint8)
    for number, tile in enumerate(tiles):
        top = number // across * (side_px + gap)
        left = number % across * (length * side_px + 2 * gap)
        for place, image in enumerate(tile):
            small = cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA)
            start = left + place * side_px
            canvas[top : top + side_px, start : start + side_px] = small
    _, data = cv2.imencode(".jpg", canvas[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes()


def _canvas(height: float = _SIZE[1]) -> tuple[Any, Any]:
    """A figure without pyplot: no global state, no window, nothing to close."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(_SIZE[0], height), layout="constrained")
        axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    return figure, axes


def _svg(figure: Any) -> bytes:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context(_STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return buffer.getvalue()


def _threshold_line(axes: Any, value: float | None, *, vertical: bool) -> None:
    if value is not None:
        draw = axes.axvline if vertical else axes.axhline
        draw(value, color=LIGHT["fail"], linewidth=1.2, linestyle=(0, (4, 3)))


def _least_of(rates: Sequence[Curve]) -> float:
    """Where an axis begins: as far down as the trials reach, for few trials at 0.05 %."""
    seen = np.concatenate([rate[rate > 0] for rate in rates])
    return float(np.clip(seen.min() if len(seen) else _LEAST, _FINEST, _LEAST))


def _deviate(rates: Curve, least: float) -> Curve:
    normal = NormalDist()
    return np.array([normal.inv_cdf(float(rate)) for rate in np.clip(rates, least, 1 - least)])


_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "vultus",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "legend.fontsize": 9.5,
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["quiet"],
    "axes.edgecolor": LIGHT["quiet"],
    "xtick.color": LIGHT["quiet"],
    "ytick.color": LIGHT["quiet"],
    "axes.linewidth": 0.8,
}
