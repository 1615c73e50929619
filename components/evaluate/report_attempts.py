"""Parts of the PAD report: the whole system under attack, and attacks by how they were made."""

from collections.abc import Iterator, Sequence

from components.evaluate.attempts import Attempts
from components.evaluate.params import EvaluateParams
from components.evaluate.strengths import AXES, Curve
from components.evaluate.wording import with_interval
from vultus.contracts.evaluation import Figure
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.sweeping import sweep_chart

_COLUMNS = ("apcer", "iapmr", "iapar", "riapar")


def attempt_blocks(
    attempts: Attempts | None, figures: Sequence[Figure], params: EvaluateParams
) -> Iterator[Block]:
    """A row a species: what PAD, the comparison, and both together let through.

    Args: figures: those of the panel, for APCER.
    """
    yield Heading("The whole system: PAD and recognition together")
    if attempts is None:
        yield Text(
            "Not measured: no recogniser was named (`evaluate.recogniser`). An attack must be accepted "
            "and match, so IAPAR is at most APCER.",
            quiet=True,
        )
        return
    yield Text(
        f"Each presentation was compared with one untouched picture of the same person, never the one "
        f"it was made of, by {attempts.recogniser} at {attempts.threshold:.4f}, its threshold for FMR "
        f"{params.fmr:g}.",
        quiet=True,
    )
    known = {(f.name, f.slice): f for f in [*figures, *attempts.figures]}
    slices = sorted({f.slice for f in attempts.figures if f.slice.startswith("species=")})
    rows: list[tuple[Cell, ...]] = []
    for name in [*slices, "all"]:
        cells: list[Cell] = ["worst species" if name == "all" else name.removeprefix("species=")]
        cells += [with_interval(known.get((column, name))) for column in _COLUMNS]
        iapar = known[("iapar", name)]
        rows.append((*cells, f"{iapar.n:,}"))
    frr = known[("system_frr", "all")]
    yield Table(
        ("species", "APCER", "IAPMR", "IAPAR", "RIAPAR", "n"),
        tuple(rows),
        numeric=(1, 2, 3, 4, 5),
        caption=f"95 % intervals in brackets. APCER: PAD accepts. IAPMR: the face matches, PAD not "
        f"asked. IAPAR: both. RIAPAR: IAPAR plus the share of bona fide attempts that the system "
        f"refuses, {with_interval(frr)} of {frr.n:,}.",
    )


def strength_blocks(curves: Sequence[Curve], params: EvaluateParams) -> Iterator[Block]:
    """A table of all bins, and a curve for each species and axis."""
    if not curves:
        return
    yield Heading("Simulated attacks by species and strength")
    yield Text(
        "APCER at the same thresholds, along what each simulation was given, in bins of about equally "
        f"many attacks. Below {params.min_slice} attacks in a bin the interval says little.",
        quiet=True,
    )
    ordered = sorted(curves, key=lambda curve: (AXES.index(curve.axis), curve.species))
    rows: list[tuple[Cell, ...]] = [
        (
            curve.axis.label,
            curve.axis.unit,
            curve.species,
            name,
            with_interval(figure),
            f"{figure.n:,}",
        )
        for curve in ordered
        for name, figure in zip(curve.bins, curve.figures, strict=True)
    ]
    yield Table(
        ("strength", "unit", "species", "from – to", "APCER", "n"),
        tuple(rows),
        numeric=(3, 4, 5),
        caption="95 % intervals in brackets.",
    )
    for curve in ordered:
        points = [
            (name, 100 * f.value, 100 * f.low, 100 * f.high)
            for name, f in zip(curve.bins, curve.figures, strict=True)
            if f.value is not None and f.low is not None and f.high is not None
        ]
        yield Picture(
            sweep_chart(points, f"{curve.axis.label}: {curve.axis.unit}", ylabel="APCER, %"),
            "svg",
            f"APCER of {curve.species} against {curve.axis.label}",
            f"{curve.species}: APCER against {curve.axis.label}, with 95 % interval.",
        )
