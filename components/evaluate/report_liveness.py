"""The report of a PAD panel: verdict, figures, pictures, and what it cannot say."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from components.evaluate.liveness import LivenessResult
from components.evaluate.panel_figures import accepted_by_panel
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import PANEL, Presentations
from components.evaluate.realism import NAME as REALISM
from components.evaluate.realism import realism_blocks
from components.evaluate.report_members import member_blocks
from components.evaluate.unseen import is_unseen_figure, unseen_blocks
from components.evaluate.wording import (
    OTHER_MODELS,
    asked_table,
    headline_table,
    interval_rows,
    number,
    overall,
    slice_table,
)
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import Figure
from vultus.contracts.seams import Store
from vultus.contracts.words import Evidence
from vultus.faces.context import window
from vultus.faces.picture import decode_image
from vultus.metrics import Decisions, Ranking
from vultus.reports import Block, Heading, Picture, Table, Text, Verdict
from vultus.reports.charts import (
    DetCurve,
    det_chart,
    interval_chart,
    reliability_chart,
    sheet,
    strip_chart,
)

_ROOM_SHOWN = 1.6


def liveness_answer(result: LivenessResult) -> str:
    """The sentence a reader came for."""
    figures = {f.name: f for f in result.figures if f.slice == "all"}
    apcer, bpcer = figures["apcer"], figures["bpcer"]
    if apcer.value is None or bpcer.value is None:
        return "The test split lacks bona fide or attack presentations: nothing was measured."
    said = (
        f"The panel accepts {number(apcer.value, 'apcer')} of the worst attack species"
        f"{_worst_species(result)} and refuses "
        f"{number(bpcer.value, 'bpcer')} of bona fide presentations"
    )
    if _all_simulated(result.test):
        return f"{said}; all attacks were simulated, so this is no proof against photographed ones."
    return f"{said}."


def _worst_species(result: LivenessResult) -> str:
    """Its name in brackets."""
    own = [f for f in result.figures if f.name == "apcer" and f.slice.startswith("species=")]
    known = [f for f in own if f.value is not None]
    if not known:
        return ""
    worst = max(known, key=lambda one: one.value or 0)
    return f" ({worst.slice.removeprefix('species=')})"


def liveness_blocks(result: LivenessResult, params: EvaluateParams, store: Store) -> list[Block]:
    """The document without its last part, `liveness_limits`."""
    limits = {"apcer": params.require_apcer, "bpcer": params.require_bpcer}
    test = result.test
    blocks: list[Block] = [
        Verdict(overall(result.figures), liveness_answer(result)),
        Heading("Figures of the test split"),
        headline_table(result.figures, limits),
        Text(
            "APCER is the worst species' and BPCER stands beside it, at one set of thresholds: that is "
            "how ISO/IEC 30107-3 reports. ACER is their mean, which many papers print; the standard "
            "does not use it, because it hides which of the two errors is made.",
            quiet=True,
        ),
        *member_blocks(result, params),
    ]
    known = np.isfinite(test.scores[PANEL])
    live = test.bona_fide[known]
    if live.any() and not live.all():
        blocks += _pictures(result)
        blocks += _asked(result)
        blocks += _slices(result, params)
        if params.worst:
            blocks += _worst(result, params, store)
    blocks += unseen_blocks(result.slices, result.left_out, params)
    blocks += realism_blocks(result.slices)
    return blocks


def _pictures(result: LivenessResult) -> Iterator[Block]:
    test = result.test
    known = np.isfinite(test.scores[PANEL])
    scores, live = test.scores[PANEL][known], test.bona_fide[known]
    yield Heading("Where the errors lie")
    yield Picture(
        strip_chart(_by_species(test, PANEL), "PAD score of the panel (higher = more bona fide)",
                    _used(result)),
        "svg",
        "Scores of the panel for bona fide and each attack species",
        "Each mark is a presentation; the bar spans the middle half, the dot is the median; broken "
        "lines are thresholds.",
    )  # fmt: skip
    curves = {}
    for name in [member.name for member in result.transform.members]:
        curve = Ranking(test.scores[name], test.bona_fide).det()
        threshold = result.thresholds[name]
        kinds = test.scores[name][~test.bona_fide], test.scores[name][test.bona_fide]
        at = (float((kinds[0] >= threshold).mean()), float((kinds[1] < threshold).mean()))
        curves[name] = DetCurve(curve.fmr, curve.fnmr, at)
    yield Picture(
        det_chart(curves, "attacks accepted, all species", "BPCER"),
        "svg",
        "DET curves of the members on all pictures of the test split",
        "Each member on all pictures of the test split, whatever their room; the dot is its threshold.",
    )
    yield Picture(
        reliability_chart(result.calibration.llr(scores), live),
        "svg",
        "Reliability: share of bona fide presentations against the calibrated chance",
        "The panel's scores calibrated on the validation split, tried on the test split.",
    )


def _slice_picture(result: LivenessResult, params: EvaluateParams) -> Iterator[Block]:
    kept = _plain_slices(result)
    rows = interval_rows(kept, "bpcer", params.min_slice)
    if rows:
        yield Picture(
            interval_chart(rows, "BPCER, %", 100 * params.require_bpcer),
            "svg",
            "BPCER with its interval for each declared attribute",
            "BPCER of the panel by declared attribute, with 95 % intervals; the broken line is what "
            "is required of all together.",
        )


def _asked(result: LivenessResult) -> Iterator[Block]:
    accepted = accepted_by_panel(result.test, result.transform, result.thresholds)
    yield Heading("The same decisions in other words")
    yield asked_table(
        Decisions.of(accepted, result.test.bona_fide),
        "APCER over all species together",
        "BPCER",
        result.slices,
    )


def _slices(result: LivenessResult, params: EvaluateParams) -> Iterator[Block]:
    kept = _plain_slices(result)
    yield Heading("By room and declared attribute")
    yield slice_table(kept, (("pad_auc", "AUC"), ("bpcer", "BPCER")), params.min_slice)
    yield from _slice_picture(result, params)


def _plain_slices(result: LivenessResult) -> list[Figure]:
    """Figures by room and attribute; those that have a table of their own are left out."""
    return [
        figure
        for figure in result.slices
        if figure.slice != "all"
        and not figure.slice.startswith("member=")
        and figure.name != REALISM
        and not is_unseen_figure(figure)
    ]


def _worst(result: LivenessResult, params: EvaluateParams, store: Store) -> Iterator[Block]:
    """Accepted attacks with the highest scores, and bona fide presentations with the lowest."""
    test = result.test
    accepted = accepted_by_panel(test, result.transform, result.thresholds)
    order = np.argsort(np.nan_to_num(test.scores[PANEL], nan=0.5), kind="stable")
    taken = order[(accepted & ~test.bona_fide)[order]][::-1][: params.worst]
    refused = order[(~accepted & test.bona_fide & (test.speaker >= 0))[order]][: params.worst]
    if len(taken) or len(refused):
        yield Heading("The hardest presentations")
    for title, places in (
        ("Attacks that were accepted, highest scores", taken),
        ("Bona fide that was refused, lowest scores", refused),
    ):
        if len(places):
            yield _picture_of(title, places, test, store)


def _picture_of(
    title: str, places: NDArray[np.int64], test: Presentations, store: Store
) -> Picture:
    tiles = []
    for place in places:
        image = decode_image(store.get(test.rows[place]["context_sha256"]))
        box = np.array(test.rows[place]["context_box"], np.float32)
        x1, y1, x2, y2 = window(box, _ROOM_SHOWN, image.shape)
        tiles.append([np.ascontiguousarray(image[y1:y2, x1:x2])])
    said = ", ".join(
        f"{test.species[p] or 'bona fide'} {test.scores[PANEL][p]:.2f}" for p in places
    )
    return Picture(
        sheet(tiles, side_px=160, columns=3),
        "jpeg",
        f"{title}: {len(tiles)} pictures",
        f"{title}, line by line: {said}.",
    )


def liveness_limits(result: LivenessResult) -> Iterator[Block]:
    """What nobody may read into the figures."""
    test = result.test
    rows: list[tuple[str, str]] = []
    if _all_simulated(test):
        rows.append(
            (
                "photographed attacks",
                "every attack presentation here was simulated. A network can learn the simulator; "
                "what it does with a real print, screen or mask was not measured, so an APCER can "
                "fail here but not pass.",
            )
        )
    for place, member in enumerate(result.transform.members):
        own = test.speaker == place
        if not own.any():
            rows.append(
                (
                    member.name,
                    "no picture of the test split has the room where it decides; its figures come "
                    "from pictures with other room, and so does its threshold.",
                )
            )
        if member.evidence is Evidence.SIMULATED:
            rows.append(
                (f"{member.name}, its training", "attacks it was trained on were simulated too.")
            )
    rows += [
        (
            "other cameras and species",
            "a camera, a display, a paper or a mask that is not among the pictures: the camera is "
            "what a PAD network learns first.",
        ),
        ("one picture", "nothing here speaks of motion, depth or a challenge over several frames."),
        OTHER_MODELS,
    ]
    yield Heading("What this evaluation cannot support")
    yield Table(("about", "why"), tuple(rows))


def _by_species(test: Presentations, member: str) -> dict[str, Scores]:
    known = np.isfinite(test.scores[member])
    groups = {"bona fide": test.scores[member][known & test.bona_fide]}
    for species in sorted(set(test.species.tolist()) - {""}):
        groups[species] = test.scores[member][known & (test.species == species)]
    return {name: scores for name, scores in groups.items() if len(scores)}


def _used(result: LivenessResult) -> dict[str, float]:
    """Thresholds of members that decided at least one test picture."""
    return {
        member.name: result.thresholds[member.name]
        for place, member in enumerate(result.transform.members)
        if (result.test.speaker == place).any()
    }


def _all_simulated(test: Presentations) -> bool:
    return all(row["simulated"] for row in test.rows if row["species"] is not None)
