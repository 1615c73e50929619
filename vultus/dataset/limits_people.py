"""What the people, the cameras and the conditions of a version cannot support."""

from collections.abc import Iterator

import numpy as np

from vultus.contracts.words import Split
from vultus.dataset.bands import (
    DARKER,
    LIGHT_NAMES,
    cross,
    groupings,
    light_bands,
    pose_bands,
    skin_bands,
    subject_medians,
)
from vultus.dataset.census import Census, Labels, Mask
from vultus.dataset.limit import Limit, listed, percent, share_of
from vultus.metrics import rule_of_three

_RARE = 0.05
_ONE_KIND = 0.95
_DAYS_FOR_AGEING = 365
_SMALL_EYES_PX = 30.0


def of_origin(census: Census) -> Iterator[Limit]:
    """One source, one picture size, rendered people, unknown licences."""
    sources, own = census.labels["source"], census.own
    if all(name.startswith("synthetic") for name in sources.names) and sources.names:
        yield Limit(
            "people",
            "No statement about real people: everybody here is rendered.",
            f"{census.subjects} rendered subjects",
            "pictures of real people, with their consent",
            "renders lack the variety of real skin, hair, lenses and rooms",
        )
    elif len(sources.names) == 1:
        yield Limit(
            "source",
            "Nothing tells the source's habits from the faces: all pictures have one source.",
            f"1 source ({sources.names[0]})",
            "two sources at least, one of them for testing alone",
            "a model may learn a camera, a room or a way of cropping, and fail at the next door",
        )
    if own.any() and "width" in census.values:
        width, height = (census.values[name][own].astype(np.int64) for name in ("width", "height"))
        sizes, counts = np.unique(width * 100_000 + height, return_counts=True)
        most = int(counts.argmax())
        if counts[most] >= _ONE_KIND * counts.sum():
            wide, high = divmod(int(sizes[most]), 100_000)
            yield Limit(
                "camera",
                "Other cameras are not represented: nearly all pictures have one size.",
                f"{share_of(int(counts[most]), int(counts.sum()))} are {wide} × {high} pixels",
                "pictures from several cameras, at several sizes",
                "one size means one camera or one preparation; figures hold for that one",
            )
    licences = census.labels["licence"]
    unknown = int(licences.where("unknown").sum())
    if unknown:
        yield Limit(
            "licence",
            "Use beyond an experiment is not covered: the licence is not known.",
            f"{share_of(unknown, census.rows)} without a known licence",
            "the licence and the consent behind each source, in writing",
            "a model trained on pictures one may not use may not be used either",
        )


def of_groups(census: Census, enough: int) -> Iterator[Limit]:
    """Declared groups and skin tones with too few people."""
    declared = {name: one for name, one in groupings(census).items() if name in _spoken(census)}
    if not census.attributes:
        yield Limit(
            "bias",
            "Whether errors differ between groups of people cannot be measured.",
            "0 declared attributes",
            "attributes that the people declare themselves, such as sex and age group",
            "a good average can hide a group for which the system does not work",
        )
    split, test = census.labels["split"], census.own & census.labels["split"].where(Split.TEST)
    few = []
    for name, labels in declared.items():
        people = cross(census, labels, split, test).people.sum(axis=1)
        few += [
            f"{name} {value}: {int(n)}"
            for value, n in zip(labels.names, people, strict=True)
            if n < enough
        ]
    if few:
        shown = "; ".join(few[:8]) + (f"; and {len(few) - 8} more" if len(few) > 8 else "")
        yield Limit(
            "bias",
            f"{len(few)} declared groups are too small in test to be judged.",
            f"subjects: {shown}",
            f"{enough} subjects of each group in test; then a fault that hits more than "
            f"{percent(rule_of_three(enough))} of a group would be seen",
            "a figure for a handful of people is about these people, not about their group",
        )
    yield from _skin(census, enough)


def of_conditions(census: Census) -> Iterator[Limit]:
    """Pose, light and size."""
    own = census.own
    total = int(own.sum())
    pose, light = pose_bands(census), light_bands(census)
    if pose is not None and total:
        turned = int((own & (pose.codes >= 2)).sum())
        if turned < _RARE * total:
            yield Limit(
                "pose",
                "Faces turned further than 30° are hardly covered.",
                share_of(turned, total),
                f"{percent(_RARE)} of the pictures, spread over many subjects",
                "people look past a camera; a model that never saw that refuses them",
            )
    if light is not None and total:
        rare = [name for name in LIGHT_NAMES[:3] if _count(light, name, own) < _RARE * total]
        if len(rare) > 1:
            counted = ", ".join(f"{name} {_count(light, name, own)}" for name in LIGHT_NAMES[:3])
            yield Limit(
                "light",
                f"Light is nearly all of one kind: {listed(rare)} pictures hardly occur.",
                f"{counted}, evenly lit {_count(light, 'even', own)} of {total:,}",
                f"{percent(_RARE)} of each",
                "a door sees backlight in the morning and one lamp at night",
            )
    if "eyes_px" in census.values and total:
        small = int((census.values["eyes_px"][own] < _SMALL_EYES_PX).sum())
        if small > _RARE * total:
            yield Limit(
                "size",
                "Fine detail is missing in part of the pictures.",
                f"{share_of(small, total)} have fewer than {_SMALL_EYES_PX:g} px between the eyes",
                "60 px between the eyes, as ISO/IEC 29794-5 asks of access control",
                "a face of few pixels matches many people",
            )


def of_time(census: Census) -> Iterator[Limit]:
    """How far apart the pictures were taken."""
    days = census.values.get("captured_day", np.full(census.rows, np.nan, np.float32))[census.own]
    known = days[np.isfinite(days)]
    span = float(known.max() - known.min()) if known.size else 0.0
    if span < _DAYS_FOR_AGEING:
        seen = (
            f"captured within {span:.0f} days"
            if known.size
            else f"no capture date on {len(days):,} bona fide pictures"
        )
        yield Limit(
            "time",
            "How matching fares as people age cannot be shown.",
            seen,
            "pictures of the same people, dated, at least a year apart",
            "a reference stays for years; FNMR rises with the years between two pictures",
        )


def _skin(census: Census, enough: int) -> Iterator[Limit]:
    bands = skin_bands(census)
    if bands is None:
        yield Limit(
            "skin tone",
            "Whether darker skin is covered is not known.",
            "ITA was not measured in this version",
            "a version made by a crop step that measures ITA",
            "dark skin in poor light is where face systems have failed most often",
        )
        return
    medians = subject_medians(census, "ita_deg")
    assert medians is not None  # there are bands
    known = medians[np.isfinite(medians)]
    one = cross(census, bands, census.labels["split"], census.own)
    dark = int(one.people[[bands.names.index(name) for name in DARKER]].sum())
    if dark < enough:
        yield Limit(
            "skin tone",
            f"Fewer than {enough} subjects have darker skin, as far as an estimate can tell.",
            f"{dark} of {known.size} subjects with a median ITA below 10° (estimate from the crop, "
            "which light and camera shift)",
            f"{enough} subjects in the bands brown and dark, better by declaration than by estimate",
            "dark skin in poor light is where face systems have failed most often",
        )


def _spoken(census: Census) -> set[str]:
    return {name.replace("_", " ") for name in census.attributes}


def _count(labels: Labels, name: str, mask: Mask) -> int:
    return int((labels.where(name) & mask).sum())
