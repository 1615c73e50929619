"""The report of an embedder: verdict, figures, pictures, and what it cannot say."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from components.evaluate.comparisons import Comparisons
from components.evaluate.levels import exponent
from components.evaluate.params import EvaluateParams
from components.evaluate.recognition import RecognitionResult
from components.evaluate.report_groups import group_blocks
from components.evaluate.report_levels import det_picture, level_blocks, search_blocks
from components.evaluate.wording import (
    OTHER_MODELS,
    asked_table,
    headline_table,
    interval,
    number,
    overall,
)
from vultus.contracts.evaluation import Figure
from vultus.contracts.seams import Store
from vultus.contracts.words import Verdict as Outcome
from vultus.faces.picture import decode_image
from vultus.metrics import Decisions, cllr, isotonic_llr, trials_needed
from vultus.reports import Block, Heading, Picture, Table, Verdict
from vultus.reports.charts import histogram_chart, reliability_chart, sheet


def recognition_answer(result: RecognitionResult, params: EvaluateParams) -> str:
    """The sentence a reader came for."""
    eer = next(figure for figure in result.figures if figure.name == "eer")
    people = len(set(result.test.subjects.tolist()))
    if eer.value is None:
        return (
            f"The test split holds {people} people and no pair of each kind: nothing was measured."
        )
    said = f"{people} people of the test split are told apart with EER {number(eer.value, 'eer')}"
    open_ = [f for f in result.figures if f.verdict is Outcome.NOT_ENOUGH_DATA]
    failed = [f for f in result.figures if f.verdict is Outcome.FAIL]
    if failed:
        tail = f"{len(failed)} of {_judged(result)} requirements are not met"
    elif open_:
        tail = f"{len(open_)} of {_judged(result)} requirements need more trials to be decided"
    else:
        tail = f"all {_judged(result)} requirements are met"
    return f"{said} (95 % interval {interval(eer)}); {tail}."


def recognition_blocks(
    result: RecognitionResult, params: EvaluateParams, store: Store
) -> list[Block]:
    """The document without its last part, `recognition_limits`."""
    test = result.test
    limits = {"eer": params.require_eer}
    limits |= {f"fnmr_at_fmr_{exponent(fmr)}": params.require_fnmr for fmr in params.fmrs}
    limits |= {f"realised_fmr_{exponent(fmr)}": fmr for fmr in params.fmrs}
    blocks: list[Block] = [
        Verdict(overall(result.figures), recognition_answer(result, params)),
        Heading("Figures of the test split"),
        headline_table(_headline(result, params), limits),
    ]
    both = test.mated.any() and not test.mated.all()
    if both:
        blocks += level_blocks(result)
        blocks += _pictures(result, params)
        blocks += search_blocks(result, params)
        blocks += group_blocks(result, params)
        blocks += _asked(result, params)
        blocks += _capture(result, params)
        if params.worst:
            blocks += _worst(result.whole, params, store)
    return blocks


def _headline(result: RecognitionResult, params: EvaluateParams) -> list[Figure]:
    """Without the further levels, which have a table of their own."""
    further = {exponent(level.fmr) for level in result.levels if level.fmr not in params.fmrs}
    return [f for f in result.figures if f.name.rpartition("_")[2] not in further]


def _judged(result: RecognitionResult) -> int:
    return sum(figure.verdict is not None for figure in result.figures)


def _pictures(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    whole, threshold = result.whole, result.threshold(params.fmr)
    mated, scores = whole.mated, whole.scores
    yield Heading("Where the errors lie")
    yield Picture(
        histogram_chart(
            {"non-mated": scores[~mated], "mated": scores[mated]}, "cosine similarity", threshold
        ),
        "svg",
        "Histogram of the scores of mated and non-mated comparisons, with the threshold",
        f"Scores of the test split; the broken line is the threshold {threshold:.3f}, set for "
        f"FMR {params.fmr:g} on the validation split.",
    )
    yield det_picture(result, params)
    llr = result.calibration.llr(scores)
    cost = cllr(llr[mated], llr[~mated])
    least = cllr(*isotonic_llr(scores[mated], scores[~mated]))
    yield Picture(
        reliability_chart(llr, mated),
        "svg",
        "Reliability: share of mated comparisons against the calibrated chance",
        f"Scores calibrated on the validation split, tried on the test split: Cllr {cost:.3f} bit, "
        f"of which {max(0.0, cost - least):.3f} is calibration and the rest discrimination.",
    )


def _asked(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    accepted = result.whole.scores >= np.float32(result.threshold(params.fmr))
    counts = Decisions.of(accepted, result.whole.mated)
    yield Heading("The same decisions in other words")
    yield asked_table(counts, "FMR", "FNMR", result.slices)


def _capture(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    name = exponent(params.fmr)
    wanted = ("fte", "fta", f"gfnmr_at_fmr_{name}", f"gfmr_at_fmr_{name}")
    found = [figure for figure in result.slices if figure.name in wanted]
    if found:
        yield Heading("People and pictures that capture lost")
        yield headline_table(
            found,
            {},
            caption="FTE: share of the people of this data version of whom no reference could be made, "
            "whichever of their bona fide pictures is offered; FTA: share of its pictures that gave no "
            "template. Both count all splits: detector and quality are trained on nobody here. "
            "Generalised rates count such an attempt as a refusal (ISO/IEC 19795-1)."
            + (
                ""
                if found[0].name == "fte"
                else " FTE: not known, these crops do not count people."
            ),
        )


def _worst(test: Comparisons, params: EvaluateParams, store: Store) -> Iterator[Block]:
    """The non-mated pairs that look most alike, the mated ones that look least alike."""
    mated = test.mated
    order = np.argsort(test.scores, kind="stable")
    shown: list[tuple[str, NDArray[np.int64]]] = [
        ("Two people, highest scores", order[~mated[order]][::-1][: params.worst]),
        ("One person, lowest scores", order[mated[order]][: params.worst]),
    ]
    yield Heading("The hardest trials")
    for title, places in shown:
        pairs = [
            [decode_image(store.get(test.rows[side]["chip_sha256"])) for side in sides]
            for sides in zip(test.first[places], test.second[places], strict=True)
        ]
        said = ", ".join(f"{score:.2f}" for score in test.scores[places])
        yield Picture(
            sheet(pairs, columns=4),
            "jpeg",
            f"{title}: {len(pairs)} pairs of faces",
            f"{title}, line by line: {said}.",
        )


def recognition_limits(result: RecognitionResult, params: EvaluateParams) -> Iterator[Block]:
    """What nobody may read into the figures."""
    test, validation = result.test, result.validation
    others = validation.others
    sources = sorted({row["source"] for row in test.rows})
    rows: list[tuple[str, str]] = [
        (
            "people",
            f"{len(set(test.subjects.tolist()))} in test, "
            f"{len(set(validation.subjects.tolist()))} in validation, none in both. Sources: "
            f"{', '.join(sources) or 'none'}.",
        ),
        (
            "small FMR",
            f"{others:,} non-mated comparisons set the thresholds. An FMR below "
            f"{3 / max(others, 1):.1e} cannot be shown with them even if all were independent; "
            f"for {params.fmr:g} at least {trials_needed(params.fmr):,} without error are needed. "
            "Nothing is extrapolated.",
        ),
        (
            "other people and cameras",
            "the figures hold for people and capture like those of the test split. Rendered people "
            "are not real ones: their figures show that the pipeline works, not that a door is safe.",
        ),
        ("attacks", "no presentation attack is among the trials; that is the other report."),
        OTHER_MODELS,
    ]
    yield Heading("What this evaluation cannot support")
    yield Table(("about", "why"), tuple(rows))
