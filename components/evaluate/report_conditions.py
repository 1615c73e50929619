"""The part of an embedder's report that says what worse light, covering or sharpness does to it."""

from collections.abc import Iterator, Sequence

from components.evaluate.params import EvaluateParams
from components.evaluate.sweeps import LEAST_BASE, Point, Sweep
from components.evaluate.wording import with_interval
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.charts import sheet
from vultus.reports.sweeping import sweep_chart

_FAMILIES = {
    "light": "Light",
    "occlusion": "Something before the face",
    "sharpness": "Sharpness",
    "coding": "Coding and noise",
}
_OBSERVED = "observed"


def condition_blocks(sweeps: Sequence[Sweep], params: EvaluateParams) -> Iterator[Block]:
    """Table first, then family by family: pictures of the strengths and a curve each."""
    simulated = [sweep for sweep in sweeps if sweep.family != _OBSERVED]
    if not simulated:
        return
    probes = simulated[0].points[0]
    yield Heading("Under worse conditions (simulated)")
    yield Text(
        f"{params.condition_faces} faces of the test split at most were changed, one condition at a "
        f"time, and compared with all other faces of it as they are ({probes.fnmr.n:,} mated "
        f"comparisons, {probes.fmr.n:,} others), at the threshold for FMR {params.fmr:g}. The "
        "changes act on faces already found: that a detector finds fewer is not in these figures.",
        quiet=True,
    )
    yield _table(simulated)
    for family, title in _FAMILIES.items():
        those = [sweep for sweep in simulated if sweep.family == family]
        if those:
            yield Heading(title, 2)
            if params.worst:
                yield _strips(those)
            yield from (_curve(sweep) for sweep in those)
    observed = [sweep for sweep in sweeps if sweep.family == _OBSERVED]
    if observed:
        yield Heading("By what the trials are (not simulated)", 2)
        yield from (_observed(sweep, params) for sweep in observed)
    if not any(sweep.name == "age" for sweep in observed):
        yield Text(
            "Ageing: no age and no time of capture is labelled; nothing is said.", quiet=True
        )


def _table(sweeps: Sequence[Sweep]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for sweep in sweeps:
        first, last = sweep.points[0], sweep.points[-1]
        rows.append(
            (
                sweep.label,
                with_interval(first.fnmr),
                f"{last.label} {sweep.unit}",
                with_interval(last.fnmr),
                with_interval(last.fmr),
                _doubling(sweep),
            )
        )
    return Table(
        ("condition", "FNMR untouched", "worst strength", "FNMR there", "FMR there", "FNMR doubles at"),
        tuple(rows),
        numeric=(1, 3, 4),
        caption="95 % intervals in brackets, from drawing persons. FNMR doubles where the straight "
        f"line between two strengths says so; an untouched FNMR below {LEAST_BASE:.0%} counts as "
        f"{LEAST_BASE:.0%}.",
    )  # fmt: skip


def _doubling(sweep: Sweep) -> str:
    """The point with its unit and interval, or that it was not reached."""
    found, worst = sweep.doubles, sweep.points[-1].label
    if found is None or found.value is None:
        return f"not up to {worst} {sweep.unit}"
    ends = (found.low, found.high)
    if sweep.points[-1].strength < sweep.points[0].strength:
        ends = (found.high, found.low)
    mild, bad = (f"beyond {worst}" if end is None else f"{end:.3g}" for end in ends)
    return f"{found.value:.3g} {sweep.unit} ({mild} to {bad})"


def _strips(sweeps: Sequence[Sweep]) -> Picture:
    return Picture(
        sheet([sweep.strip for sweep in sweeps], columns=2 * len(sweeps[0].strip)),
        "jpeg",
        "One face under each condition, untouched on the left, worst on the right",
        "Line by line: " + "; ".join(f"{s.label} ({_strengths(s)} {s.unit})" for s in sweeps) + ".",
        wide=True,
    )


def _strengths(sweep: Sweep) -> str:
    return ", ".join(point.label for point in sweep.points)


def _curve(sweep: Sweep) -> Picture:
    base = sweep.points[0].fnmr.value or 0.0
    return Picture(
        sweep_chart(
            _points(sweep.points), f"{sweep.label}: {sweep.unit}", 200 * max(base, LEAST_BASE)
        ),
        "svg",
        f"FNMR against {sweep.label}",
        f"{sweep.label[0].upper()}{sweep.label[1:]}: FNMR with 95 % interval; the broken line is "
        "twice the FNMR of untouched faces.",
    )


def _points(points: Sequence[Point]) -> list[tuple[str, float, float, float]]:
    return [
        (point.label, 100 * f.value, 100 * f.low, 100 * f.high)
        for point in points
        for f in [point.fnmr]
        if f.value is not None and f.low is not None and f.high is not None
    ]


def _observed(sweep: Sweep, params: EvaluateParams) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            point.label,
            with_interval(point.fnmr) if point.fnmr.n >= params.min_slice else "not enough data",
            f"{point.fnmr.n:,}",
            with_interval(point.fmr) if point.fmr.n >= params.min_slice else "not enough data",
            f"{point.fmr.n:,}",
        )
        for point in sweep.points
    ]
    return Table(
        (f"{sweep.label}: {sweep.unit}", "FNMR", "n", "FMR", "n "),
        tuple(rows),
        numeric=(1, 2, 3, 4),
        caption="Differences of the two sides of each trial.",
    )
