"""Everything that is known of one data version, in numbers; pages and JSON are made of this."""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from vultus.contracts.arrays import Embeddings
from vultus.contracts.faces import FaceCrops, RawFaces
from vultus.contracts.words import Presentation, Split
from vultus.dataset.bands import (
    LIGHT,
    POSE,
    SIZE,
    SKIN,
    Cross,
    cross,
    groupings,
    in_order,
    pictures_per_subject,
    stacked,
)
from vultus.dataset.census import Census, take_census, wanted_columns
from vultus.dataset.distribution import Spread, spread
from vultus.dataset.duplicates import Duplicates, find_duplicates
from vultus.dataset.limit import Limit
from vultus.dataset.limits import limits_of
from vultus.dataset.noise import Noise, Rows, judge_noise, noise_sample

SPLITS = tuple(split.value for split in Split)
RECAPTURED = "bona fide, simulated capture"
"""A kind of the composition."""
_PAIRS = 4


class SurveyParams(BaseModel):
    """What decides the figures of the dataset report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enough_subjects: int = Field(
        default=30, ge=1, description="a group with fewer is thin: 3 divided by it is not small"
    )
    noise_images: int = Field(
        default=1200, ge=0, description="pictures that are embedded to judge the labels; 0 = none"
    )
    noise_deviations: float = Field(
        default=5.0, gt=0, description="robust standard deviations from which a picture is suspect"
    )


@dataclass(frozen=True)
class Part:
    """One line of the composition: what kind of picture, and how many of it in each split."""

    kind: str
    pictures: tuple[int, ...]
    subjects: tuple[int, ...]


@dataclass(frozen=True)
class Survey:
    """A surveyed version.

    quarantine: reason -> pictures, of ingest and crop. noise: None where the labels were not
    judged, then `noise_missing` says why. coverage: groupings against splits; pairs: groupings
    against each other; both count subjects with own pictures.
    """

    digest: str
    kind: str
    census: Census
    params: SurveyParams
    composition: tuple[Part, ...]
    quarantine: Mapping[str, int]
    duplicates: Duplicates | None
    noise: Noise | None
    noise_missing: str
    coverage: Cross | None
    pairs: tuple[tuple[str, str, Cross], ...]
    limits: tuple[Limit, ...]

    @property
    def rendered(self) -> bool:
        """Whether nobody in it exists."""
        return all(name.startswith("synthetic") for name in self.census.labels["source"].names)

    def spreads(self) -> dict[str, Spread]:
        """Quantiles of every measured quantity over the pictures as captured."""
        own = self.census.own
        found = {name: spread(values[own]) for name, values in self.census.values.items()}
        return {name: one for name, one in found.items() if one is not None}


Embed = Callable[[Rows], Embeddings]


def survey(
    version: FaceCrops | RawFaces,
    params: SurveyParams,
    *,
    raw: RawFaces | None = None,
    embed: Embed | None,
    noise_missing: str = "",
    said: Callable[[int], None] = lambda rows: None,
) -> Survey:
    """Count a version.

    Args:
        version: an opened artifact; its parts are streamed.
        params: thresholds.
        raw: what the crops were cut from, for what `ingest` had refused.
        embed: rows int64 [N] -> embeddings float32 [N, D] of their chips; None, and why, where
            there is no encoder.
        said: called with the rows read so far.
    """
    census = census_of(version, said)
    noise, missing = _noise(census, params, embed, noise_missing)
    bands = groupings(census)
    split = in_order(census.labels["split"], SPLITS)
    against = [(name, cross(census, labels, split, census.own)) for name, labels in bands.items()]
    return Survey(
        digest=version.digest,
        kind=version.SCHEMA,
        census=census,
        params=params,
        composition=tuple(_composition(census)),
        quarantine=quarantine_of(version, raw),
        duplicates=find_duplicates(census),
        noise=noise,
        noise_missing=missing,
        coverage=stacked(against) if against else None,
        pairs=tuple(_pairs(census, bands)),
        limits=tuple(limits_of(census, enough=params.enough_subjects, noise_missing=missing)),
    )


def census_of(
    version: FaceCrops | RawFaces, said: Callable[[int], None] = lambda rows: None
) -> Census:
    """Read only the columns that are counted, part by part."""
    present = next(iter(version.stream())).column_names
    return take_census(version.stream(wanted_columns(present)), said)


def quarantine_of(version: FaceCrops | RawFaces, raw: RawFaces | None = None) -> dict[str, int]:
    """Reason -> pictures, most first; with `raw`, those that ingest had refused are included."""
    counts = Counter(version.quarantine["reason"].to_pylist())
    if raw is not None:
        counts.update(raw.quarantine["reason"].to_pylist())
    return {reason: int(count) for reason, count in counts.most_common()}


def figures(found: Survey) -> dict[str, Any]:
    """The same as plain numbers and words, for machines."""
    census, own = found.census, found.census.own
    counts = pictures_per_subject(census, own)
    noise = None
    if found.noise is not None:
        noise = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in vars(found.noise).items()
        } | {"strays": len(found.noise.strays), "twins": len(found.noise.twins)}
    duplicates = None
    if found.duplicates is not None:
        duplicates = {
            name: len(value) if isinstance(value, tuple) else value
            for name, value in vars(found.duplicates).items()
        }
    return {
        "digest": found.digest,
        "kind": found.kind,
        "pictures": census.rows,
        "subjects": census.subjects,
        "composition": [
            {"kind": part.kind}
            | {"pictures": dict(zip(SPLITS, part.pictures, strict=True))}
            | {"subjects": dict(zip(SPLITS, part.subjects, strict=True))}
            for part in found.composition
        ],
        "pictures_per_subject": vars(one)
        if (one := spread(counts[counts > 0].astype(float)))
        else None,
        "distributions": {name: vars(one) for name, one in found.spreads().items()},
        "coverage": _table(found.coverage, found.params.enough_subjects),
        "sources": _words(census, "source"),
        "licences": _words(census, "licence"),
        "attributes_with_too_many_values": list(census.names_only),
        "quarantine": dict(found.quarantine),
        "duplicates": duplicates,
        "noise": noise,
        "noise_missing": found.noise_missing or None,
        "cannot_support": [vars(limit) for limit in found.limits],
    }


def _noise(
    census: Census, params: SurveyParams, embed: Embed | None, missing: str
) -> tuple[Noise | None, str]:
    if embed is None:
        return None, missing or "no encoder was given"
    rows = noise_sample(census, params.noise_images)
    if not rows.size:
        return None, "no subject has two bona fide pictures among those that may be embedded"
    people = census.labels["subject"].codes[rows]
    return judge_noise(rows, people, embed(rows), params.noise_deviations), ""


def _composition(census: Census) -> list[Part]:
    species = census.labels.get("species")
    bona_fide = census.labels["presentation"].where(Presentation.BONA_FIDE)
    kinds = [
        ("bona fide", bona_fide & ~census.simulated),
        (RECAPTURED, bona_fide & census.simulated),
    ]
    for name in sorted(species.names) if species else ():
        assert species is not None
        kinds.append((name, species.where(name) & ~census.simulated))
        kinds.append((f"{name}, simulated", species.where(name) & census.simulated))
    splits = [census.labels["split"].where(split) for split in SPLITS]
    person = census.labels["subject"].codes
    return [
        Part(
            kind,
            tuple(int((mask & split).sum()) for split in splits),
            tuple(int(np.unique(person[mask & split]).size) for split in splits),
        )
        for kind, mask in kinds
        if mask.any()
    ]


def _pairs(census: Census, bands: Mapping[str, Any]) -> list[tuple[str, str, Cross]]:
    """Measured conditions against groups of people first: there bias hides."""
    measured = [name for name in (LIGHT, POSE) if name in bands]
    people = [SKIN] if SKIN in bands else []
    people += [name for name in bands if name not in (LIGHT, POSE, SIZE, SKIN)]
    wanted = [(row, column) for row in people[:2] for column in measured]
    if len(people) > 1:
        wanted.append((people[0], people[1]))
    return [
        (row, column, cross(census, bands[row], bands[column], census.own))
        for row, column in wanted[:_PAIRS]
    ]


def _table(one: Cross | None, enough: int) -> list[dict[str, Any]]:
    if one is None:
        return []
    return [
        {"group": name, "thin": bool((people < enough).any())}
        | {"subjects": dict(zip(one.columns, people.tolist(), strict=True))}
        | {"pictures": dict(zip(one.columns, pictures.tolist(), strict=True))}
        for name, people, pictures in zip(one.rows, one.people, one.pictures, strict=True)
    ]


def _words(census: Census, name: str) -> dict[str, int]:
    labels = census.labels[name]
    counts = np.bincount(labels.codes, minlength=len(labels.names))
    return dict(zip(labels.names, counts.tolist(), strict=True))
