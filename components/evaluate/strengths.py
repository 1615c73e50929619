"""Simulated attacks by how they were made: APCER of each species against distance, blur, display, print.

What a simulation was given stands in the `simulation` JSON of its row; attacks that were photographed
have none, and are left out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evaluate.figures import codes_of, rate_figure
from components.evaluate.params import EvaluateParams
from components.evaluate.presentations import Presentations
from vultus.contracts.evaluation import Figure

FIGURE = "apcer_at_strength"
_BINS = 3
_LEAST = 6
"""Attacks of a species below which it is not divided."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Axis:
    """A number of the simulation. path: keys of its JSON; species it is read for, empty = all."""

    name: str
    label: str
    unit: str
    path: tuple[str, ...]
    species: tuple[str, ...] = ()


AXES = (
    Axis("distance", "how much of the picture the sheet or screen fills", "share of its side",
         ("hold", "fill"), ("print", "replay")),
    Axis("blur", "defocus of the camera", "standard deviation in pixels", ("camera", "defocus_px")),
    Axis("camera", "faults of the camera together", "0 to 0.8", ("camera", "strength")),
    Axis("coding", "quality of the file", "JPEG", ("jpeg",)),
    Axis("display", "resolution of the display", "its pixels for one of the picture",
         ("medium", "pixels_per_pixel"), ("replay",)),
    Axis("dots", "dots of the print", "pixels", ("medium", "dot_px"), ("print",)),
    Axis("rim", "rim of the mask", "darkness, 0 to 1", ("medium", "edge"), ("mask",)),
)  # fmt: skip


@dataclass(frozen=True)
class Curve:
    """APCER of one species along one axis, lowest bin first. bins: "low–high" of each figure."""

    axis: Axis
    species: str
    bins: tuple[str, ...]
    figures: tuple[Figure, ...]


def strength_curves(test: Presentations, accepted: Flags, params: EvaluateParams) -> list[Curve]:
    """Every species along every axis that it has, in bins of about equally many attacks.

    Args: accepted bool [N]: by the panel, at the shared thresholds.
    """
    facts = [json.loads(row["simulation"] or "{}") for row in test.rows]
    people = codes_of(test.subjects)
    curves = []
    for species in sorted(set(test.species[~test.bona_fide].tolist())):
        own = test.species == species
        for axis in AXES:
            if axis.species and species not in axis.species:
                continue
            values = np.array([_value(one, axis.path) for one in facts], np.float64)
            known = own & np.isfinite(values)
            bins = list(_bins(values, known))
            if len(bins) < 2:
                continue
            figures = tuple(
                rate_figure(
                    FIGURE,
                    accepted[part],
                    people[part],
                    None,
                    params,
                    slice_name=f"species={species},{axis.name}={name}",
                    method=f"simulated; {axis.label}, {axis.unit}",
                )
                for name, part in bins
            )
            curves.append(Curve(axis, species, tuple(name for name, _ in bins), figures))
    return curves


def figures_of(curves: Sequence[Curve]) -> list[Figure]:
    """Of all bins."""
    return [figure for curve in curves for figure in curve.figures]


def _bins(values: NDArray[np.float64], known: Flags) -> Iterator[tuple[str, Flags]]:
    """Name and members of each bin: cut at the quantiles of the values themselves."""
    own = values[known]
    if len(own) < _LEAST:
        return
    edges = np.unique(np.quantile(own, np.linspace(0, 1, _BINS + 1)))
    for place in range(len(edges) - 1):
        low, high = edges[place], edges[place + 1]
        last = place == len(edges) - 2
        part = known & (values >= low) & ((values <= high) if last else (values < high))
        if part.any():
            yield f"{low:.2g}–{high:.2g}", np.asarray(part, bool)


def _value(facts: Any, path: Sequence[str]) -> float:
    """NaN where the simulation was not given it."""
    for key in path:
        facts = facts.get(key) if isinstance(facts, dict) else None
    return float(facts) if isinstance(facts, int | float) else float("nan")
