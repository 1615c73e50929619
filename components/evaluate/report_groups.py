"""Blocks of the recognition report about groups of people."""

from collections.abc import Iterator

from components.evaluate.groups import DIFFERENTIALS, is_estimate, spread
from components.evaluate.levels import exponent
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import RecognitionResult
from components.evaluate.wording import interval, interval_rows, name_of, number, slice_table
from vultus.contracts.evaluation import Figure
from vultus.contracts.words import Verdict
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.charts import interval_chart


def group_blocks(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    """FNMR and FMR of each group at the shared threshold, and how far they lie apart."""
    of_groups = [figure for figure in result.slices if "=" in figure.slice]
    if not of_groups:
        return
    name = exponent(params.fmr)
    columns = (
        ("eer", "EER"),
        (f"fnmr_at_fmr_{name}", f"FNMR at FMR {params.fmr:g}"),
        (f"realised_fmr_{name}", "FMR realised"),
    )
    yield Heading("By group, at one threshold for everybody")
    yield Text(
        "Both sides of a trial belong to the group, so non-mated comparisons are the harder ones. "
        + (
            "The skin estimate is read from the pictures (ITA, median of a person's own); it moves "
            "with light and camera and is nobody's declaration."
            if any(is_estimate(figure.slice) for figure in of_groups)
            else ""
        ),
        quiet=True,
    )
    yield slice_table(of_groups, columns, params.min_slice)
    yield from _pictures(of_groups, params)
    yield _differentials(result, params)


def _pictures(figures: list[Figure], params: EvaluateParams) -> Iterator[Block]:
    shown = (
        (f"fnmr_at_fmr_{exponent(params.fmr)}", "FNMR", params.require_fnmr),
        (f"realised_fmr_{exponent(params.fmr)}", "FMR", params.fmr),
    )
    for name, word, limit in shown:
        rows = interval_rows(figures, name, params.min_slice)
        if rows:
            yield Picture(
                interval_chart(rows, f"{word}, %", 100 * limit),
                "svg",
                f"{word} with its interval for each group",
                f"{word} at the threshold for FMR {params.fmr:g}, with 95 % intervals; the broken "
                "line is what is required of all together.",
            )


def _differentials(result: RecognitionResult, params: EvaluateParams) -> Table:
    """One row an attribute; attributes without two judged groups say so."""
    found: dict[str, dict[str, Figure]] = {}
    for figure in spread(result.slices):
        found.setdefault(figure.slice, {})[figure.name] = figure
    attributes = sorted({f.slice.partition("=")[0] for f in result.slices if "=" in f.slice})
    rows: list[tuple[Cell, ...]] = []
    for attribute in attributes:
        cells: list[Cell] = [attribute.replace("_", " ")]
        for name in DIFFERENTIALS:
            one = found.get(attribute, {}).get(name)
            cells += ["–", "–"] if one is None else [number(one.value, name), interval(one)]
        cells.append("" if attribute in found else Verdict.NOT_ENOUGH_DATA)
        rows.append(tuple(cells))
    headings = [part for name in DIFFERENTIALS for part in (name_of_differential(name), "its 95 %")]
    return Table(
        ("attribute", *headings, ""),
        tuple(rows),
        numeric=tuple(range(1, len(headings) + 1)),
        caption="Differentials after ISO/IEC 19795-10, over groups with at least "
        f"{params.min_slice} trials of a kind. A ratio has no value where a group has no error. "
        "GARBE: half the Gini coefficient of FMR, half that of FNMR; 0 = all groups alike, "
        "1 = one group has all errors. Chance alone keeps it above 0.",
    )


def name_of_differential(name: str) -> str:
    """Heading of a column."""
    return name_of(Figure(name=name, value=None, n=0))
