"""Which groups of people and conditions are covered, and what the attacks look like."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from components.validate.album import Album
from components.validate.tiles import faces_of, spaced
from vultus.contracts.words import Species
from vultus.dataset.census import Mask
from vultus.dataset.limit import listed
from vultus.dataset.survey import Survey
from vultus.reports import Block, Heading, Picture, Text
from vultus.reports.counts import cross_chart

_SAMPLES = 12
_ROWS_A_CHART = 16


def group_blocks(found: Survey) -> Iterator[Block]:
    """Cross-tables of subjects, the thin cells framed."""
    enough = found.params.enough_subjects
    yield Heading("Which groups are covered")
    if not found.census.attributes:
        yield Text(
            "The source declares no attributes (sex, age group, …): only what can be measured is "
            "counted here."
        )
    if found.census.names_only:
        named = ", ".join(found.census.names_only)
        yield Text(f"Too many values to be groups, so left out: {named}.", quiet=True)
    whole = found.coverage
    if whole is None:
        yield Text("Nothing declared and nothing measured: no group can be told from another.")
        return
    thin = whole.thin(enough)
    yield Text(
        f"Subjects with a bona fide picture in each cell. {int(thin.sum())} of {thin.size} cells are "
        f"thin (framed): fewer than {enough} subjects, {int((whole.people == 0).sum())} of them "
        "empty (full frame). A figure about a thin cell is about these few people.",
    )
    for part in _charts(whole.rows):
        names = [whole.rows[row].replace("_", " ") for row in part]
        groupings = listed(list(dict.fromkeys(_grouping(name) for name in names)))
        yield Picture(
            cross_chart(names, whole.columns, whole.people[part], enough),
            "svg",
            f"Subjects by split, from {names[0]} to {names[-1]}",
            f"Subjects by split: {groupings}.",
        )
    for row, column, one in found.pairs:
        yield Picture(
            cross_chart(one.rows, one.columns, one.people, enough),
            "svg",
            f"Subjects by {row} and {column}",
            f"Subjects by {row} (down) and {column} (across), all splits.",
        )


def _charts(rows: Sequence[str]) -> list[list[int]]:
    """Places of the rows of each chart: as many groupings as fit, none of them torn."""
    charts: list[list[int]] = [[]]
    for _, group in groupby(range(len(rows)), key=lambda row: _grouping(rows[row])):
        places = list(group)
        if charts[-1] and len(charts[-1]) + len(places) > _ROWS_A_CHART:
            charts.append([])
        charts[-1] += places
    return charts


def _grouping(row: str) -> str:
    return row.split(": ")[0]


def attack_blocks(found: Survey, album: Album | None) -> Iterator[Block]:
    """A sheet of each species, captured and simulated apart, beside bona fide ones."""
    census = found.census
    species = census.labels.get("species")
    yield Heading("Attack presentations")
    if species is None or not census.attacks.any():
        yield Text("There is no attack presentation in this version: it can train no PAD network.")
        return
    if album is None:
        yield Text("The pictures are left out here.", quiet=True)
        return
    kinds: list[tuple[str, Mask]] = [("bona fide", census.own)]
    for kind in Species:
        mine = species.where(kind)
        kinds.append((f"{kind.value}, captured", mine & ~census.simulated))
        kinds.append((f"{kind.value}, simulated", mine & census.simulated))
    for name, mask in kinds:
        rows = np.flatnonzero(mask)
        if rows.size:
            chosen = spaced(rows, _SAMPLES)
            yield Picture(
                faces_of(album, [[row] for row in chosen], "context"),
                "jpeg",
                f"Samples of {name}",
                f"{name}: {len(chosen)} of {rows.size:,} pictures.",
            )
