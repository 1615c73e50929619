"""Numbers put into bands with names, so that they can be counted beside declared attributes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.dataset.census import Census, Codes, Labels, Mask, Values

_GROUPS_MOST = 8
"""Values from which an attribute is no longer drawn value by value."""
ITA_EDGES = (-30.0, 10.0, 28.0, 41.0, 55.0)
ITA_NAMES = ("dark", "brown", "tan", "intermediate", "light", "very light")
"""Source: Del Bino and Bernerd, Variations in skin colour and the biological consequences, 2013."""
DARKER = ITA_NAMES[:2]
POSE_NAMES = ("≤ 15°", "15–30°", "30–45°", "> 45°")
EYES_NAMES = ("< 20", "20–40", "40–60", "60–90", "≥ 90")
LIGHT_NAMES = ("dark", "glaring", "flat", "even")
SKIN, POSE, LIGHT, SIZE = "skin (ITA estimate)", "pose (estimate)", "light (measured)", "eyes (px)"
MEASURED = frozenset({SKIN, POSE, LIGHT, SIZE})
_POOR_LIGHT = 50.0
_FLAT = 75.0


@dataclass(frozen=True)
class Cross:
    """Counts of two groupings against each other.

    people, pictures int64 [R, C]: distinct subjects and rows of each cell.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    people: NDArray[np.int64]
    pictures: NDArray[np.int64]

    def thin(self, enough: int) -> Mask:
        """bool [R, C]: the cells with fewer subjects than that, the empty ones among them."""
        return np.asarray(self.people < enough)


def groupings(census: Census) -> dict[str, Labels]:
    """Declared attributes with 2 to 8 values, then the measured bands, each where it is known."""
    found = {
        name.replace("_", " "): labels
        for name, labels in census.attributes.items()
        if 2 <= len(labels.names) <= _GROUPS_MOST
    }
    measured = {
        SKIN: skin_bands(census),
        POSE: pose_bands(census),
        LIGHT: light_bands(census),
        SIZE: eyes_bands(census),
    }
    return found | {name: labels for name, labels in measured.items() if labels is not None}


def skin_bands(census: Census) -> Labels | None:
    """Band of the median ITA of each subject's own pictures: one picture is at the light's mercy."""
    per_subject = subject_medians(census, "ita_deg")
    if per_subject is None or not np.isfinite(per_subject).any():
        return None
    return _banded(per_subject[census.labels["subject"].codes], ITA_EDGES, ITA_NAMES)


def pose_bands(census: Census) -> Labels | None:
    """The larger of yaw and pitch, either side."""
    if "yaw_deg" not in census.values:
        return None
    turned = np.maximum(np.abs(census.values["yaw_deg"]), np.abs(census.values["pitch_deg"]))
    return _banded(turned, (15.0, 30.0, 45.0), POSE_NAMES)


def eyes_bands(census: Census) -> Labels | None:
    """Distance of the eyes in the picture."""
    if "eyes_px" not in census.values:
        return None
    return _banded(census.values["eyes_px"], (20.0, 40.0, 60.0, 90.0), EYES_NAMES)


def light_bands(census: Census) -> Labels | None:
    """Dark: many pixels near black; glaring: many near white; flat: few grey levels; else even."""
    names = ("under_exposure_prevention", "over_exposure_prevention", "dynamic_range")
    if any(f"quality_{name}" not in census.values for name in names):
        return None
    dark, glare, levels = (census.values[f"quality_{name}"] for name in names)
    choices = [dark < _POOR_LIGHT, glare < _POOR_LIGHT, levels < _FLAT]
    return Labels(np.select(choices, [0, 1, 2], 3).astype(np.int32), LIGHT_NAMES)


def cross(census: Census, rows: Labels, columns: Labels, mask: Mask) -> Cross:
    """Count subjects and pictures of every pair of words, in the rows of `mask`."""
    known = mask & (rows.codes >= 0) & (columns.codes >= 0)
    wide, high = len(columns.names), len(rows.names)
    cell = rows.codes[known].astype(np.int64) * wide + columns.codes[known]
    person = census.labels["subject"].codes[known].astype(np.int64)
    pairs = np.unique(person * (wide * high) + cell)
    counted = (np.bincount(x, minlength=wide * high) for x in (pairs % (wide * high), cell))
    people, pictures = (counts.reshape(high, wide) for counts in counted)
    return Cross(rows.names, columns.names, people, pictures)


def stacked(crosses: Sequence[tuple[str, Cross]]) -> Cross:
    """Several crosses with the same columns as one, the grouping's name before each row."""
    named = [f"{name}: {row}" for name, one in crosses for row in one.rows]
    return Cross(
        tuple(named),
        crosses[0][1].columns,
        np.concatenate([one.people for _, one in crosses]),
        np.concatenate([one.pictures for _, one in crosses]),
    )


def in_order(labels: Labels, order: Sequence[str]) -> Labels:
    """The same words numbered in this order; words that are not in it follow."""
    names = [*order, *(name for name in labels.names if name not in order)]
    lookup = np.array([*(names.index(name) for name in labels.names), -1], np.int32)
    return Labels(lookup[labels.codes], tuple(names))


def subject_medians(census: Census, name: str) -> NDArray[np.float64] | None:
    """Median of a value over each subject's own pictures; NaN without one. float64 [subjects]."""
    if name not in census.values:
        return None
    known = census.own & np.isfinite(census.values[name])
    codes, values = census.labels["subject"].codes[known], census.values[name][known]
    order = np.lexsort((values, codes))
    codes, values = codes[order], values[order].astype(np.float64)
    counts = np.bincount(codes, minlength=census.subjects)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    medians = np.full(census.subjects, np.nan)
    some = counts > 0
    low, high = first + np.maximum(counts - 1, 0) // 2, first + counts // 2
    medians[some] = (values[low[some]] + values[high[some]]) / 2
    return medians


def pictures_per_subject(census: Census, mask: Mask) -> NDArray[np.int64]:
    """Rows of `mask` of each subject, int64 [subjects]; 0 for those without one."""
    return np.bincount(census.labels["subject"].codes[mask], minlength=census.subjects)


def _banded(
    values: Values | NDArray[np.float64], edges: Sequence[float], names: tuple[str, ...]
) -> Labels:
    codes: Codes = np.searchsorted(np.array(edges), values, side="right").astype(np.int32)
    codes[~np.isfinite(values)] = -1
    return Labels(codes, names)
