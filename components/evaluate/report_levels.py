"""Blocks of the recognition report about thresholds, the two curves, and 1:N search."""

from collections.abc import Iterator

import numpy as np

from components.evaluate.levels import Level, exponent, threshold_at
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import BAND, RecognitionResult
from components.evaluate.wording import interval, number
from vultus.contracts.evaluation import Figure
from vultus.contracts.words import Verdict
from vultus.metrics import fmr_from_fpir, fpir_from_fmr, trials_needed
from vultus.reports import Block, Cell, Heading, Picture, Table, Text
from vultus.reports.charts import DetCurve, cmc_chart, det_chart

_GALLERIES = (10, 100, 10_000, 1_000_000)
_FPIR = 0.01
_FINEST, _POINTS = 1e-3, 400
"""Of the DET curve: it is drawn at so many FMRs, down to below the smallest that can be counted."""


def level_blocks(result: RecognitionResult) -> Iterator[Block]:
    """Requested against realised FMR, level by level."""
    others = result.validation.others
    by_name = {figure.name: figure for figure in result.figures}
    rows = [_level_row(level, by_name, others) for level in result.levels]
    yield Heading("Thresholds: requested and realised")
    if result.test.every is not None or result.validation.every is not None:
        yield _one_set(result)
    yield Text(
        "A server is asked for an FMR, never for a score. The validation split turned each request "
        "into a threshold; the test split shows what became of it. TAR is 1 − FNMR.",
        quiet=True,
    )
    yield Table(
        (
            "FMR asked",
            "threshold",
            "LLR",
            "TAR",
            "TAR, 95 %",
            "FMR realised",
            "FMR, 95 %",
            "needs",
            "validation says",
        ),
        tuple(rows),
        numeric=(0, 1, 2, 3, 4, 5, 6, 7),
        caption=f"{others:,} non-mated comparisons of the validation split. Shown: the 95 % bound, "
        "with people drawn as wholes, keeps the request. Estimate: the rate does, its bound does not. "
        "Below 3 divided by the number of comparisons nothing could be shown even if all were "
        "independent: so many the level needs. LLR: natural logarithm of how much more likely the "
        "score is for one person than for two.",
    )


def _one_set(result: RecognitionResult) -> Text:
    """Which comparisons the figures count, where the raw file lists only some of them."""
    every, listed = result.test.others, int((~result.test.mated).sum())
    held = int((~result.whole.mated).sum())
    drawn = (
        f" Intervals of EER, AUC and DET, Cllr, group ratios and the familiar names rest on {held:,} of "
        "them, drawn at random."
        if held < every
        else ""
    )
    return Text(
        f"Every 1:1 figure and curve counts every comparison of two people "
        f"({result.validation.others:,} in validation, {every:,} in test; counts.parquet) and all "
        f"mated ones (scores.parquet).{drawn} scores.parquet lists {listed:,} of the former, drawn "
        "fairly by pair of people: the calibration was fitted on such a list, and the gate compares "
        "models on it.",
        quiet=True,
    )


def _level_row(level: Level, by_name: dict[str, Figure], others: int) -> tuple[Cell, ...]:
    needs = f"{trials_needed(level.fmr):,}"
    if level.threshold is None or level.llr is None:
        return (_plain(level.fmr), *["–"] * 6, needs, Verdict.NOT_ENOUGH_DATA)
    name = exponent(level.fmr)
    missed, realised = by_name[f"fnmr_at_fmr_{name}"], by_name[f"realised_fmr_{name}"]
    word: Cell = "shown" if level.shown else "estimate"
    if others < trials_needed(level.fmr):
        word = Verdict.NOT_ENOUGH_DATA
    return (
        _plain(level.fmr),
        f"{level.threshold:.4f}",
        f"{level.llr:.1f}",
        *_turned(missed),
        number(realised.value, realised.name),
        interval(realised),
        needs,
        word,
    )


def _plain(fmr: float) -> str:
    """0.00001, not 1e-05."""
    return np.format_float_positional(fmr, trim="-")


def _turned(figure: Figure) -> tuple[str, str]:
    """TAR of an FNMR, and its interval."""
    if figure.value is None or figure.low is None or figure.high is None:
        return "–", "–"
    low, high = 100 * (1 - figure.high), 100 * (1 - figure.low)
    return f"{100 * (1 - figure.value):.2f} %", f"{low:.2f} – {high:.2f} %"


def det_picture(result: RecognitionResult, params: EvaluateParams) -> Picture:
    """The DET curve with its band, and the operating point."""
    counts, threshold = result.whole.counts(), float(np.float32(result.threshold(params.fmr)))
    finest = 1 / counts.non_mated.scores
    curve = counts.det(np.geomspace(min(finest, _FINEST) / 2, 1, _POINTS).tolist())
    at = counts.fmr(threshold), counts.fnmr(threshold)
    band, how = None, "too few people for a band"
    if result.drawn is not None and np.isfinite(result.drawn.fnmr).any(axis=0).all():
        low, high = np.nanquantile(result.drawn.fnmr, [0.025, 0.975], axis=0)
        band, how = (BAND, low, high), "the band holds FNMR at 95 %, people drawn as wholes"
    return Picture(
        det_chart({"test split": DetCurve(curve.fmr, curve.fnmr, at, band)}, "FMR", "FNMR"),
        "svg",
        "DET curve with its band: FNMR against FMR on normal-deviate axes",
        f"DET curve of the test split; the dot is the threshold of the validation split; {how}.",
    )


def search_blocks(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    """CMC and the open-set figures."""
    searches = result.searches
    if not searches.possible:
        return
    yield Heading("Search among many (1:N)")
    yield Text(
        f"{len(searches.probes):,} probes in a gallery of {searches.gallery} people, one reference "
        "each. FNIR counts searches whose mate is enrolled; for FPIR the same probes search the "
        "gallery without their own reference, so that each stands for somebody who is not enrolled.",
        quiet=True,
    )
    yield _search_table(result, params)
    yield _sizes(result, params)
    curve = searches.curve()
    low, high = np.transpose([searches.drawn(rank, params) for rank in range(1, len(curve) + 1)])
    # Whoever is among the first k is among the first k + 1: a bound holds for all later ranks.
    low = np.maximum.accumulate(low)
    yield Picture(
        cmc_chart(curve, low, high),
        "svg",
        "CMC: share of searches whose mate is among the first k candidates",
        "CMC without a threshold; the band is the 95 % interval, people drawn as wholes.",
    )
    yield _galleries(result, params)


def _sizes(result: RecognitionResult, params: EvaluateParams) -> Table:
    """Measured by gallery size, largest last; sizes that the run has no people for say so."""
    by_name = {(figure.name, figure.slice): figure for figure in result.galleries}
    rows: list[tuple[Cell, ...]] = []
    for part in dict.fromkeys(figure.slice for figure in result.galleries):
        for fmr in params.fmrs:
            names = (f"{one}_at_fmr_{exponent(fmr)}" for one in ("fpir", "fnir_rank_1"))
            false, lost = (by_name[(name, part)] for name in names)
            rows.append(
                (
                    f"{int(part.partition('=')[2]):,}",
                    f"{fmr:g}",
                    number(false.value, false.name),
                    interval(false),
                    number(lost.value, lost.name),
                    interval(lost),
                    f"{lost.n:,}",
                    "" if lost.n >= params.min_slice else Verdict.NOT_ENOUGH_DATA,
                )
            )
    return Table(
        ("gallery", "FMR asked", "FPIR", "FPIR, 95 %", "FNIR, rank 1", "FNIR, 95 %", "n", ""),
        tuple(rows),
        numeric=(0, 1, 2, 3, 4, 5, 6),
        caption="Measured: the mean over all galleries of so many people that can be drawn from the "
        "test split. FNIR, rank 1: the mate is below the threshold or not first of so many; FPIR: any "
        "of so many others is at or above it. Measuring takes one person more than the gallery holds, "
        "each with two pictures.",
    )


def _galleries(result: RecognitionResult, params: EvaluateParams) -> Table:
    """From a gallery's size to the FMR, and from there to the threshold of the table that is stored."""
    rows: list[tuple[Cell, ...]] = []
    for size in _GALLERIES:
        fmr = fmr_from_fpir(_FPIR, size)
        enough = result.validation.others >= trials_needed(fmr)
        rows.append(
            (
                f"{size:,}",
                *(f"{100 * fpir_from_fmr(one, size):.2f} %" for one in params.fmrs),
                f"{fmr:.1e}",
                f"{threshold_at(result.points, fmr):.4f}" if enough else Verdict.NOT_ENOUGH_DATA,
            )
        )
    asked = f"{100 * _FPIR:g} %"
    return Table(
        (
            "gallery",
            *(f"FPIR at FMR {fmr:g}" for fmr in params.fmrs),
            f"FMR for FPIR {asked}",
            "its threshold",
        ),
        tuple(rows),
        numeric=tuple(range(len(params.fmrs) + 3)),
        caption="What other galleries would give if comparisons were independent: "
        "FPIR = 1 − (1 − FMR)^N. Computed, not measured. vultus identify --fpir goes the same way, "
        "with the gallery as large as it is, through the thresholds stored with the model.",
    )


def _search_table(result: RecognitionResult, params: EvaluateParams) -> Table:
    searches, by_name = result.searches, {figure.name: figure for figure in result.figures}
    rows: list[tuple[Cell, ...]] = []
    for fmr in params.fmrs:
        name = exponent(fmr)
        false, lost = by_name[f"fpir_at_fmr_{name}"], by_name[f"fnir_at_fmr_{name}"]
        rows.append(
            (
                f"{fmr:g}",
                f"{100 * fpir_from_fmr(fmr, searches.gallery - 1):.2f} %",
                number(false.value, false.name),
                interval(false),
                number(lost.value, lost.name),
                interval(lost),
                f"{lost.n:,}",
            )
        )
    return Table(
        ("FMR asked", "FPIR expected", "FPIR", "FPIR, 95 %", "FNIR", "FNIR, 95 %", "n"),
        tuple(rows),
        numeric=(0, 1, 2, 3, 4, 5, 6),
        caption="Expected: 1 − (1 − FMR)^N with the gallery without the mate; measured lies apart "
        "from it where the realised FMR does, or where one probe resembles several people.",
    )
