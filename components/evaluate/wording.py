"""Words and tables that both reports share."""

from collections.abc import Iterable, Sequence

import numpy as np

from vultus.contracts.evaluation import Figure
from vultus.contracts.words import Task, Verdict
from vultus.metrics import Decisions
from vultus.reports import Cell, Table

TITLES = {
    Task.RECOGNITION: "Evaluation: face recognition",
    Task.LIVENESS: "Evaluation: presentation attack detection",
}
NAMES = {
    "accuracy": "accuracy",
    "eer": "EER",
    "auc": "AUC",
    "cllr": "Cllr, bit",
    "rank_1_miss": "1:N, mate not at rank 1",
    "fte": "FTE",
    "fta": "FTA",
    "fnmr_worst_to_best": "FNMR, worst ÷ best group",
    "fmr_worst_to_best": "FMR, worst ÷ best group",
    "garbe": "GARBE",
    "pad_auc": "AUC",
    "pad_eer": "EER",
    "apcer": "APCER",
    "bpcer": "BPCER",
    "acer": "ACER",
    "iapmr": "IAPMR",
    "iapar": "IAPAR",
    "riapar": "RIAPAR",
    "system_frr": "FRR of PAD and comparison",
    "bpcer_at_apcer_1": "BPCER at APCER 1 %",
    "bpcer_at_apcer_5": "BPCER at APCER 5 %",
    "bpcer_at_apcer_10": "BPCER at APCER 10 %",
}
OTHER_MODELS = (
    "other models",
    "an evaluation looks at no other model of ours. vultus compare puts all there are, the champion "
    "among them, on the same trials, with what each costs and whose weights it has.",
)
"""A row of what an evaluation cannot support, in both reports."""
_AS_SHARE = {"auc", "pad_auc", "cllr", "garbe", "fnmr_worst_to_best", "fmr_worst_to_best"}
"""Written as they are, not in per cent."""
_SMALL = 1e-3
_WORST_FIRST = (Verdict.FAIL, Verdict.NOT_ENOUGH_DATA, Verdict.PASS)


def overall(figures: Iterable[Figure]) -> Verdict:
    """The worst verdict of all requirements; NOT ENOUGH DATA without one."""
    said = {figure.verdict for figure in figures}
    return next((v for v in _WORST_FIRST if v in said), Verdict.NOT_ENOUGH_DATA)


def name_of(figure: Figure) -> str:
    """How a person calls the figure."""
    for prefix, words in (
        ("fnmr_at_fmr_", "FNMR at FMR"),
        ("tar_at_fmr_", "TAR at FMR"),
        ("realised_fmr_", "FMR realised, set to"),
        ("fpir_at_fmr_", "FPIR at FMR"),
        ("fnir_at_fmr_", "FNIR at FMR"),
        ("fnir_rank_1_at_fmr_", "FNIR at rank 1, FMR"),
        ("gfnmr_at_fmr_", "generalised FNMR at FMR"),
        ("gfmr_at_fmr_", "generalised FMR, set to"),
    ):
        if figure.name.startswith(prefix):
            return f"{words} {float(figure.name.removeprefix(prefix)):g}"
    return NAMES.get(figure.name, figure.name)


def number(value: float | None, name: str) -> str:
    """A rate in per cent, an AUC as it is, "–" where there is none."""
    if value is None:
        return "–"
    return f"{value:.4f}" if name in _AS_SHARE else f"{per_cent(value)} %"


def per_cent(rate: float) -> str:
    """Two decimals; two digits that count where those would be lost: 0.0026."""
    if 0 < rate < _SMALL:
        return np.format_float_positional(100 * rate, precision=2, unique=False, fractional=False)
    return f"{100 * rate:.2f}"


def interval(figure: Figure) -> str:
    """The 95 % interval; "≥" where a ratio has no upper end."""
    if figure.low is not None and figure.high is None and figure.name in _AS_SHARE:
        return f"≥ {figure.low:.2f}"
    if figure.low is None or figure.high is None:
        return "–"
    if figure.name in _AS_SHARE:
        return f"{figure.low:.4f} – {figure.high:.4f}"
    return f"{per_cent(figure.low)} – {per_cent(figure.high)} %"


def with_interval(figure: Figure | None) -> str:
    """The value, and behind it the interval where there is one: "5.00 % (1.23–11.28)"."""
    if figure is None or figure.value is None:
        return "–"
    value = number(figure.value, figure.name)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({interval(figure).removesuffix(' %').replace(' – ', '–')})"


def slice_label(name: str) -> str:
    """ "skin_estimate=brown" -> "skin estimate: brown"."""
    return name.removeprefix("member=").replace("=", ": ").replace(",", ", ").replace("_", " ")


_TEST_SPLIT = (
    "Test split. n counts trials. Trials of one person depend on each other, so the "
    "interval comes from drawing persons and is never narrower than if trials were independent; "
    "where no error was seen it ends at 3 divided by the number of persons or pairs of persons."
)


def headline_table(
    figures: Sequence[Figure], requirements: dict[str, float], caption: str = _TEST_SPLIT
) -> Table:
    """Figures with requirement, interval, n and verdict.

    Args: requirements: name of a figure -> at most.
    """
    rows: list[tuple[Cell, ...]] = []
    for figure in figures:
        limit = requirements.get(figure.name)
        of = "" if figure.slice == "all" else f" · {figure.slice.removeprefix('species=')}"
        rows.append(
            (
                name_of(figure) + of,
                number(figure.value, figure.name),
                interval(figure),
                f"{figure.n:,}",
                "" if limit is None or figure.verdict is None else f"≤ {100 * limit:g} %",
                figure.verdict or "",
            )
        )
    columns: tuple[str, ...] = ("figure", "value", "95 % interval", "n", "required", "verdict")
    if not requirements:
        columns, rows = columns[:4], [row[:4] for row in rows]
    return Table(columns, tuple(rows), numeric=(1, 2, 3, 4)[: len(columns) - 1], caption=caption)


def slice_table(
    figures: Sequence[Figure], columns: Sequence[tuple[str, str]], enough: int, of: str = "slice"
) -> Table:
    """One row a slice, the figures of `columns` (name, heading) side by side; too few are said so.

    Args: of: what the slices are, as a heading.
    """
    by_slice: dict[str, dict[str, Figure]] = {}
    wanted = {name for name, _ in columns}
    for figure in figures:
        if figure.name in wanted:
            by_slice.setdefault(figure.slice, {})[figure.name] = figure
    rows: list[tuple[Cell, ...]] = []
    for name, found in by_slice.items():
        cells: list[Cell] = [slice_label(name)]
        for column, _ in columns:
            one = found.get(column)
            cells.append(with_interval(one))
            cells.append(f"{one.n:,}" if one else "–")
        few = any(found[c].n < enough for c, _ in columns if c in found)
        cells.append(Verdict.NOT_ENOUGH_DATA if few else "")
        rows.append(tuple(cells))
    headings = [part for _, heading in columns for part in (heading, "n")]
    return Table(
        columns=(of, *headings, ""),
        rows=tuple(rows),
        numeric=tuple(range(1, len(headings) + 1)),
        caption=f"Slices with fewer than {enough} trials of a kind are not judged. "
        "95 % intervals in brackets.",
    )


def interval_rows(
    figures: Iterable[Figure], name: str, enough: int
) -> list[tuple[str, float, float, float]]:
    """Label, value, low, high in per cent of every slice of that figure with enough trials."""
    return [
        (slice_label(f.slice), 100 * f.value, 100 * f.low, 100 * f.high)
        for f in figures
        if f.name == name and f.n >= enough
        if f.value is not None and f.low is not None and f.high is not None
    ]


def asked_table(
    counts: Decisions, accepted: str, refused: str, figures: Iterable[Figure] = ()
) -> Table:
    """Accuracy, precision, recall, F1, FAR and FRR, each with the standard's figure.

    Args: accepted, refused: what the standard calls FAR and FRR here, in words; figures: the same
        with n and interval, where they were made.
    """
    known = {figure.name: figure for figure in figures if figure.slice == "all"}
    asked = (
        ("accuracy", counts.accuracy, "share of right decisions; moves with the mix of trials, so "
         "the standard does not use it"),
        ("precision", counts.precision, "share of accepted trials that deserved it; moves with the "
         "mix of trials"),
        ("recall", counts.recall, f"1 − {refused}"),
        ("F1", counts.f1, "harmonic mean of precision and recall; moves with the mix"),
        ("FAR", counts.far, f"here the same as {accepted}"),
        ("FRR", counts.frr, f"here the same as {refused}"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name, value, relation in asked:
        one = known.get(name.lower())
        between, n = ("–", "–") if one is None else (interval(one), f"{one.n:,}")
        rows.append((name, number(value, name), between, n, relation))
    return Table(
        columns=(
            "asked for",
            "value",
            "95 % interval",
            "n",
            "how it relates to the standard's figure",
        ),
        rows=tuple(rows),
        numeric=(1, 2, 3),
        caption=f"Counts of the test split at one threshold: {counts.true_accepts:,} rightly and "
        f"{counts.false_accepts:,} wrongly accepted, {counts.true_rejects:,} rightly and "
        f"{counts.false_rejects:,} wrongly refused.",
    )
