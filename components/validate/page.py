"""The dataset report as a document: verdict, people, limits, then everything in detail."""

from collections.abc import Iterator

import numpy as np

from components.validate.album import Album
from components.validate.page_groups import attack_blocks, group_blocks
from components.validate.page_pictures import measurement_blocks, picture_blocks
from components.validate.page_suspects import quarantine_blocks, suspect_blocks
from components.validate.page_training import Recipes, training_blocks
from components.validate.tiles import faces_of, spaced
from vultus.contracts.words import Verdict as Outcome
from vultus.dataset.bands import pictures_per_subject
from vultus.dataset.census import Census
from vultus.dataset.limit import listed
from vultus.dataset.survey import RECAPTURED, SPLITS, Survey
from vultus.reports import Block, Heading, Picture, Table, Text, Verdict
from vultus.reports.counts import bar_chart, column_chart

_FACES = 12
_NO_BREAK = "\N{NO-BREAK SPACE}"
_RECAPTURED = (
    " “Simulated capture” is a bona fide picture that went through the attacks' camera without a "
    "medium."
)
_PER_SUBJECT = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 10**9))


def title_of(found: Survey) -> str:
    """The title names the version."""
    return f"Dataset report: version {found.digest[:12]}"


def dataset_blocks(
    found: Survey, album: Album | None, recipes: Recipes | None = None
) -> list[Block]:
    """The whole document. album: None leaves the pictures out; recipes: None the augmentation."""
    blocks: list[Block] = [_headline(found)]
    if not found.rendered:
        blocks.append(
            Text(
                "This document shows faces of real people. It is personal data: keep it beside the "
                "pictures, under the same rules, and do not send it on. Subjects are named by "
                "pseudonyms only.",
            )
        )
    blocks += _people(found, album)
    blocks += _limits(found)
    blocks += suspect_blocks(found, album)
    blocks += _composition(found)
    blocks += picture_blocks(found, album)
    blocks += group_blocks(found)
    blocks += attack_blocks(found, album)
    blocks += training_blocks(found, album, recipes)
    blocks += quarantine_blocks(found, album)
    if found.census.own.any():
        blocks += measurement_blocks(found)
    blocks += _made(found)
    return blocks


def _headline(found: Survey) -> Verdict:
    """What a reader should know before anything else."""
    census, noise, same = found.census, found.noise, found.duplicates
    faults = []
    if noise is not None and noise.strays:
        faults.append(_many(len(noise.strays), "picture", "may show another person than its label"))
    if noise is not None and noise.twins:
        faults.append(_many(len(noise.twins), "pair of subjects", "may be one person"))
    if same is not None and same.across_subjects:
        count = len(same.across_subjects)
        faults.append(_many(count, "near duplicate", "lies under two subjects"))
    if same is not None and same.across_splits:
        faults.append(_many(len(same.across_splits), "near duplicate", "lies in two splits"))
    whole = (
        f"{_many(census.rows, 'picture')} of {_many(census.subjects, 'subject')} from "
        f"{listed(list(census.labels['source'].names))}, {int(census.own.sum()):,} of them bona fide "
        "as captured"
    )
    lacking = f"{len(found.limits)} things this data cannot support are listed below."
    if faults:
        return Verdict(
            Outcome.FAIL, f"{whole}. {'; '.join(faults)}. {lacking}", "LOOK AT THE SUSPECTS"
        )
    if noise is None:
        return Verdict(
            Outcome.NOT_ENOUGH_DATA,
            f"{whole}. Whether the labels are right was not judged: {found.noise_missing}. {lacking}",
            "LABELS NOT JUDGED",
        )
    looked = f"among {noise.pictures:,} pictures that were embedded no label looks wrong"
    return Verdict(Outcome.PASS, f"{whole}; {looked}. {lacking}", "NO SUSPECTS")


def _people(found: Survey, album: Album | None) -> Iterator[Block]:
    if album is None:
        return
    census = found.census
    person = census.labels["subject"].codes
    yield Heading("Who is in it")
    for split in SPLITS:
        rows = np.flatnonzero(census.own & census.labels["split"].where(split))
        if not rows.size:
            continue
        _, first = np.unique(person[rows], return_index=True)
        chosen = spaced(np.sort(rows[first]), _FACES)
        yield Picture(
            faces_of(album, [[row] for row in chosen]),
            "jpeg",
            f"Faces of {len(chosen)} subjects of the {split} split",
            f"{split}: {len(chosen)} of {first.size:,} subjects, one picture of each.",
        )


def _limits(found: Survey) -> Iterator[Block]:
    yield Heading("What this data cannot support")
    yield Text(
        "Each line was counted, not guessed. A figure beyond these limits would describe the sample, "
        "not the people at the door.",
        quiet=True,
    )
    if not found.limits:
        yield Text("No limit of the kinds that are looked for holds for this version.")
        return
    yield Table(
        (
            "about",
            "what cannot be said",
            "what was counted",
            "what it would take",
            "why it matters",
        ),
        tuple(
            tuple(
                text.replace(" %", f"{_NO_BREAK}%")
                for text in (one.topic, one.claim, one.seen, one.needed, one.why)
            )
            for one in found.limits
        ),
    )


def _composition(found: Survey) -> Iterator[Block]:
    census, parts = found.census, found.composition
    yield Heading("What it is made of")
    yield Picture(
        bar_chart(
            [part.kind for part in parts],
            {split: [p.pictures[n] for p in parts] for n, split in enumerate(SPLITS)},
            "pictures",
        ),
        "svg",
        "Pictures of each kind, by split",
        "Pictures of each kind."
        + (_RECAPTURED if any(p.kind == RECAPTURED for p in parts) else ""),
    )
    yield from _per_subject(census)
    yield Table(
        ("kind", *(f"{split}, pictures (subjects)" for split in SPLITS)),
        tuple(
            (p.kind, *(f"{a:,} ({b:,})" for a, b in zip(p.pictures, p.subjects, strict=True)))
            for p in parts
        ),
        numeric=(1, 2, 3),
    )


def _per_subject(census: Census) -> Iterator[Block]:
    """How many subjects have how many bona fide pictures."""
    counts = [
        pictures_per_subject(census, census.own & census.labels["split"].where(split))
        for split in SPLITS
    ]
    classes = [c for c in _PER_SUBJECT if any(((n >= c[0]) & (n <= c[1])).any() for n in counts)]
    if classes:
        per_class = {
            split: [int(((n >= low) & (n <= high)).sum()) for low, high in classes]
            for split, n in zip(SPLITS, counts, strict=True)
        }
        yield Picture(
            column_chart(
                [_class(*c) for c in classes], per_class, "bona fide pictures of one subject",
                "subjects",
            ),
            "svg",
            "How many subjects have how many bona fide pictures",
            "Subjects by the number of their bona fide pictures as captured. A subject with one "
            "picture gives no mated comparison.",
        )  # fmt: skip


def _made(found: Survey) -> Iterator[Block]:
    census, params = found.census, found.params
    sources, licences = census.labels["source"].names, census.labels["licence"].names
    yield Heading("How this was made")
    yield Table(
        ("what", ""),
        (
            ("data version", f"{found.kind} {found.digest[:16]}, whole digest in figures.json"),
            ("sources", ", ".join(sources)),
            ("licences", ", ".join(licences)),
            (
                "thin groups",
                f"fewer than {params.enough_subjects} subjects: without one error among them the "
                f"95 % bound of an error rate is {100 * 3 / params.enough_subjects:.0f} % or more",
            ),
            (
                "labels",
                found.noise_missing
                or f"up to {params.noise_images:,} bona fide pictures embedded; a picture is a "
                f"suspect {params.noise_deviations:g} robust standard deviations below its "
                "subject's median",
            ),
        ),
    )


def _class(low: int, high: int) -> str:
    if low == high:
        return str(low)
    return f"≥ {low}" if high >= 10**9 else f"{low}–{high}"


def _many(count: int, noun: str, verb: str = "") -> str:
    """`3 pictures`, `1 pair of subjects may be one person`."""
    first, *rest = noun.split(" ")
    word = noun if count == 1 else " ".join([f"{first}s", *rest])
    if count != 1:
        verb = verb.replace("lies", "lie").replace("its label", "their label")
    return f"{count:,} {word} {verb}".strip()
