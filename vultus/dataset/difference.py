"""Two data versions against each other: what came, what went, which distributions moved."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.dataset.bands import MEASURED, groupings, in_order
from vultus.dataset.census import Census, Labels, Mask
from vultus.dataset.distribution import Shift, number_shift, word_shift
from vultus.dataset.survey import SPLITS, Survey

_WORDS = ("source", "licence", "split", "context_kind")


@dataclass(frozen=True)
class Flow:
    """Members of either side: only after, only before, both."""

    came: int
    went: int
    stayed: int


@dataclass(frozen=True)
class Difference:
    """Before against after.

    came, went: rows of the new version and of the old one whose pictures the other lacks, int64 [N].
    changed_split: subjects in both that stand in another split now; that must never happen.
    shifts: largest first; of bona fide pictures as captured, but `presentation` and `species`.
    limits_new, limits_gone: what can no longer, and what can now be said (topic: claim).
    """

    before: Survey
    after: Survey
    subjects: Flow
    pictures: Flow
    came: NDArray[np.int64]
    went: NDArray[np.int64]
    changed_split: int
    shifts: tuple[Shift, ...]
    limits_new: tuple[str, ...]
    limits_gone: tuple[str, ...]

    @property
    def moved(self) -> tuple[Shift, ...]:
        """The distributions that moved, clearly or slightly."""
        return tuple(one for one in self.shifts if one.verdict != "same")


def difference(before: Survey, after: Survey) -> Difference:
    """Compare two surveyed versions. Subjects can be told again only under the same pseudonym key."""
    old, new = before.census, after.census
    came = np.flatnonzero(~np.isin(new.images, old.images))
    went = np.flatnonzero(~np.isin(old.images, new.images))
    people = [set(one.labels["subject"].names) for one in (old, new)]
    claims = [{f"{x.topic}: {x.claim}" for x in one.limits} for one in (before, after)]
    shifts = sorted((one for one in _shifts(old, new) if one), key=lambda one: -one.psi)
    return Difference(
        before=before,
        after=after,
        subjects=Flow(
            len(people[1] - people[0]), len(people[0] - people[1]), len(people[0] & people[1])
        ),
        pictures=Flow(came.size, went.size, new.rows - came.size),
        came=came,
        went=went,
        changed_split=_changed_split(old, new),
        shifts=tuple(shifts),
        limits_new=tuple(sorted(claims[1] - claims[0])),
        limits_gone=tuple(sorted(claims[0] - claims[1])),
    )


def difference_figures(found: Difference) -> dict[str, Any]:
    """The same as plain numbers and words, for machines."""
    return {
        "before": found.before.digest,
        "after": found.after.digest,
        "subjects": asdict(found.subjects),
        "pictures": asdict(found.pictures),
        "subjects_that_changed_split": found.changed_split,
        "quarantine": {
            "before": dict(found.before.quarantine),
            "after": dict(found.after.quarantine),
        },
        "distributions": [asdict(one) | {"verdict": one.verdict} for one in found.shifts],
        "cannot_support": {"new": list(found.limits_new), "gone": list(found.limits_gone)},
    }


def _shifts(old: Census, new: Census) -> Iterator[Shift | None]:
    people = (_people(old, old.own), _people(new, new.own))
    for name in sorted({*old.values} & {*new.values}):
        yield number_shift(name, old.values[name][old.own], new.values[name][new.own], people)
    everybody = (old.subjects, new.subjects)
    for name in ("presentation", "species"):
        if name in old.labels and name in new.labels:
            sides = [_counts(one.labels[name], one.labels[name].codes >= 0) for one in (old, new)]
            yield word_shift(name, sides[0], sides[1], everybody)
    for name in _WORDS:
        if name in old.labels and name in new.labels:
            sides = [_counts(one.labels[name], one.own) for one in (old, new)]
            yield word_shift(name.replace("_", " "), sides[0], sides[1], people)
    grouped = groupings(old), groupings(new)
    for name in sorted((grouped[0].keys() & grouped[1].keys()) - MEASURED):
        sides = [_counts(by[name], one.own) for by, one in zip(grouped, (old, new), strict=True)]
        yield word_shift(name, sides[0], sides[1], people)


def _changed_split(old: Census, new: Census) -> int:
    """Subjects in both whose split is another one now."""
    sides = []
    for one in (old, new):
        split = in_order(one.labels["split"], SPLITS)
        first = np.full(one.subjects, -1, np.int32)
        first[one.labels["subject"].codes] = split.codes
        sides.append(dict(zip(one.labels["subject"].names, first.tolist(), strict=True)))
    return sum(sides[1][name] != split for name, split in sides[0].items() if name in sides[1])


def _counts(labels: Labels, mask: Mask) -> dict[str, int]:
    known = labels.codes[mask & (labels.codes >= 0)]
    counts = np.bincount(known, minlength=len(labels.names)).tolist()
    return {name: count for name, count in zip(labels.names, counts, strict=True) if count}


def _people(census: Census, mask: Mask) -> int:
    return int(np.unique(census.labels["subject"].codes[mask]).size)
