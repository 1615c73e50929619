"""How real the simulation looks to a network that was trained on photographed attacks.

It judges the simulator, not itself: bona fide faces through the simulated camera should score near the
untouched ones, simulated attacks near photographed ones. A camera that is too harsh makes live faces
look recaptured, and whoever trains on it learns that blur and noise are live.
"""

import json
from collections.abc import Iterator, Sequence

import numpy as np

from components.evaluate.figures import Codes, codes_of
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import Presentations
from vultus.contracts.arrays import Scores
from vultus.contracts.evaluation import Figure
from vultus.contracts.transform import LivenessTransform, PanelMember
from vultus.contracts.words import Evidence
from vultus.metrics import bootstrap
from vultus.reports import Block, Heading, Table, Text

NAME = "realism"


def realism_figures(
    splits: Sequence[Presentations], transform: LivenessTransform, params: EvaluateParams
) -> list[Figure]:
    """Median score of each kind of presentation, by each member with real evidence, in its room."""
    return [
        figure
        for member in transform.members
        if member.evidence is Evidence.REAL
        for figure in _judged_by(member, splits, params)
    ]


def realism_blocks(figures: Sequence[Figure]) -> Iterator[Block]:
    """The table; nothing where no such member could be had."""
    own = [figure for figure in figures if figure.name == NAME]
    if not own:
        return
    yield Heading("How real the simulation looks")
    yield Text(
        "Median score that a network trained on photographed attacks gives. Bona fide faces that went "
        "through the simulated camera should stay near the untouched ones; the lower they are, the "
        "harsher the camera.",
        quiet=True,
    )
    rows = tuple(
        (
            figure.slice,
            "–" if figure.value is None else f"{figure.value:.2f}",
            "–" if figure.low is None else f"{figure.low:.2f} – {figure.high:.2f}",
            f"{figure.n:,}",
        )
        for figure in own
    )
    yield Table(
        ("presentation, judged by", "median score", "95 % interval", "n"), rows, numeric=(1, 2, 3)
    )


def _judged_by(
    member: PanelMember, splits: Sequence[Presentations], params: EvaluateParams
) -> Iterator[Figure]:
    rooms = np.concatenate([one.rooms for one in splits])
    scores = np.concatenate([one.scores[member.name] for one in splits])
    rows = [row for one in splits for row in one.rows]
    subjects = codes_of([row["subject"] for row in rows])
    inside = (rooms >= member.room_min) & (rooms < member.room_max)
    kinds = np.array([_kind(row["species"], row["simulation"]) for row in rows], np.str_)
    for kind in sorted(set(kinds[inside].tolist())):
        own = inside & (kinds == kind)
        yield _median(scores[own], subjects[own], f"{kind}, {member.name}", params)


def _kind(species: str | None, simulation: str | None) -> str:
    through = "camera" in json.loads(simulation or "{}")
    if species is None:
        return "bona fide through the simulated camera" if through else "bona fide as it came"
    return f"{'simulated' if through else 'photographed'} {species}"


def _median(scores: Scores, subjects: Codes, name: str, params: EvaluateParams) -> Figure:
    order = np.argsort(scores, kind="stable")

    def weighted(weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        reached = np.cumsum(weights[order])
        if not reached[-1]:
            return float("nan")
        return float(scores[order[int(np.searchsorted(reached, reached[-1] / 2))]])

    drawn = bootstrap(weighted, subjects, replicates=params.replicates, seed=params.seed)
    return Figure(
        name=NAME,
        value=float(np.median(scores)),
        low=None if drawn is None else drawn.low,
        high=None if drawn is None else drawn.high,
        n=len(scores),
        slice=name,
        method="median of the score; bootstrap over subjects",
    )
