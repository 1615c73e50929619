"""What training will do to these pictures: each augmentation on a line of faces of this version."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from components.validate.album import Album
from components.validate.tiles import ACROSS, sheet_of, spaced, squared
from vultus.contracts.arrays import RgbImage
from vultus.contracts.words import Species, Split
from vultus.dataset.survey import Survey
from vultus.reports import Block, Heading, Picture, Text

Changes = Callable[[Sequence[RgbImage]], Iterable[tuple[str, Sequence[RgbImage]]]]
"""Pictures -> what was changed, in a sentence, and what became of each of them."""


@dataclass(frozen=True)
class Recipes:
    """The augmentation of each task; recognition sees chips, liveness contexts."""

    recognition: Changes
    liveness: Changes


def training_blocks(found: Survey, album: Album | None, recipes: Recipes | None) -> Iterator[Block]:
    """Nothing without pictures, recipes or crops."""
    if album is None or recipes is None or found.kind != "FaceCrops":
        return
    people, shown = _people(found), _presentations(found)
    if not people:
        return
    yield Heading("What training will do to these pictures")
    yield Text(
        "The train step's own code at its default strengths, one change at a time; every picture "
        "draws its own amount. The pictures in the store stay as they are.",
        quiet=True,
    )
    yield Heading("For recognition", 2)
    yield Text("A recogniser must not mind light, camera, compression or what stands in the way.")
    chips = album.pictures(people)
    yield from _lines([chips[row] for row in people], recipes.recognition, "recognition")
    if shown:
        yield Heading("For PAD", 2)
        yield Text(
            "PAD must mind them. What separates a bona fide from an attack presentation is fine "
            "structure, black level and colour. Blur, JPEG, rotation (which resamples), gamma, strong "
            "tints and occlusion are what a recapture does, or what hides it: they would teach the "
            "network to overlook the cue, so they are left out. Bona fide pictures first, then "
            "attacks; both go through the same.",
        )
        contexts = album.pictures(shown, "context")
        pictures = [squared(contexts[row]) for row in shown]
        yield from _lines(pictures, recipes.liveness, "PAD")


def _lines(pictures: Sequence[RgbImage], changes: Changes, task: str) -> Iterator[Block]:
    for said, made in changes(pictures):
        alt = f"{len(made)} pictures in {task} training. {said}"
        yield Picture(sheet_of(made), "jpeg", alt, said)


def _people(found: Survey) -> list[int]:
    """Rows: one own picture of each of a few subjects, of train where there are some."""
    census = found.census
    train = census.own & census.labels["split"].where(Split.TRAIN)
    rows = np.flatnonzero(train if train.any() else census.own)
    _, first = np.unique(census.labels["subject"].codes[rows], return_index=True)
    return spaced(np.sort(rows[first]), ACROSS)


def _presentations(found: Survey) -> list[int]:
    """Rows: bona fide ones, then one attack of each species; none where a class is missing."""
    census = found.census
    species = census.labels.get("species")
    own = np.flatnonzero(census.own)
    if species is None or not own.size:
        return []
    found_of = [np.flatnonzero(species.where(kind)) for kind in Species]
    attacks = [int(rows[0]) for rows in found_of if rows.size]
    if not attacks:
        return []
    return spaced(own, ACROSS - len(attacks)) + attacks
