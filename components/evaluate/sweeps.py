"""Recognition under worse conditions: one side of each comparison changed, at the shared threshold.

Simulated conditions act on aligned chips (`vultus.attacks.conditions`). Observed ones (head turn, years
between captures) are read from the trials as they are.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from components.batch import Progress
from components.evaluate.comparisons import Comparisons
from components.evaluate.figures import rate_figure
from components.evaluate.params import EvaluateParams
from components.evaluate.pictures import declared, fair_draw
from vultus.attacks.conditions import CONDITIONS, Condition
from vultus.contracts.arrays import Embeddings, RgbImage
from vultus.contracts.evaluation import CONDITION_POINTS, Figure
from vultus.contracts.seams import Encoder, Store
from vultus.faces.picture import decode_image

LEAST_BASE = 0.01
"""An FNMR below this counts as this: the double of nothing would be nothing."""
_ANGLES = (0.0, 10.0, 20.0, 30.0, 45.0, 90.0)
_YEARS = (0.0, 1.0, 3.0, 6.0, 10.0, 100.0)
_SECONDS_A_YEAR = 365.25 * 86_400


@dataclass(frozen=True)
class Point:
    """FNMR and FMR where `label` holds; strength NaN for a bin of an observed condition."""

    label: str
    strength: float
    fnmr: Figure
    fmr: Figure


@dataclass(frozen=True)
class Sweep:
    """A condition from untouched to worst. doubles: where FNMR is twice the untouched one, if it is.

    strip: one chip at each strength, empty for observed conditions.
    """

    name: str
    family: str
    label: str
    unit: str
    points: tuple[Point, ...]
    doubles: Figure | None
    strip: tuple[RgbImage, ...] = ()


def sweep_conditions(
    test: Comparisons, threshold: float, params: EvaluateParams, encoder: Encoder, store: Store
) -> list[Sweep]:
    """All simulated conditions on `params.condition_faces` probes, then the observed ones.

    Args: test: its faces are the references, untouched; threshold: of the validation split.
    Returns: nothing where the Param is 0 or no subject has two faces.
    """
    probes = _probes(test, params)
    if not len(probes):
        return []
    chips = [decode_image(store.get(test.rows[p]["chip_sha256"])) for p in probes]
    chosen = [(one, one.chosen(params.condition_strengths)) for one in CONDITIONS]
    progress = Progress("worse conditions", sum(len(chips) * (len(s) - 1) for _, s in chosen))
    sweeps = []
    for condition, strengths in chosen:
        changed = [test.embeddings[probes]]
        for strength in strengths[1:]:
            worse = [condition.apply(c, strength, params.seed + n) for n, c in enumerate(chips)]
            changed.append(encoder.encode(np.stack(worse)))
            for _ in worse:
                progress.step()
        shown = tuple(condition.apply(chips[0], s, params.seed) for s in strengths)
        sweeps.append(_sweep(condition, strengths, changed, shown, test, probes, threshold, params))
    return [*sweeps, *_observed(test, threshold, params)]


def table(sweeps: list[Sweep]) -> pa.Table:
    """Rows of CONDITION_POINTS."""
    rows = [
        {
            "condition": sweep.name,
            "family": sweep.family,
            "label": point.label,
            "strength": None if np.isnan(point.strength) else point.strength,
            "unit": sweep.unit,
            "figure": name,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "n": figure.n,
        }
        for sweep in sweeps
        for point in sweep.points
        for name, figure in (("fnmr", point.fnmr), ("fmr", point.fmr))
    ]
    return pa.Table.from_pylist(rows, schema=CONDITION_POINTS)


def _probes(test: Comparisons, params: EvaluateParams) -> NDArray[np.int64]:
    """Faces of people who have another one; fairly by subject."""
    if not params.condition_faces or not len(test.rows):
        return np.empty(0, np.int64)
    several = np.bincount(test.subjects)[test.subjects] > 1
    places = np.flatnonzero(several)
    subjects = test.subjects[places].tolist()
    return places[fair_draw(subjects, params.condition_faces, params.seed)].astype(np.int64)


def _sweep(
    condition: Condition,
    strengths: tuple[float, ...],
    changed: list[Embeddings],
    shown: tuple[RgbImage, ...],
    test: Comparisons,
    probes: NDArray[np.int64],
    threshold: float,
    params: EvaluateParams,
) -> Sweep:
    """Every probe, changed, against every other face of the split, untouched."""
    subjects = test.subjects
    others = np.arange(len(subjects))[None, :] != probes[:, None]
    same = (subjects[probes][:, None] == subjects[None, :]) & others
    probe, mate = np.nonzero(same)
    against, stranger = np.nonzero(others & ~same)
    rejected, points = [], []
    for strength, embeddings in zip(strengths, changed, strict=True):
        accepted = embeddings @ test.embeddings.T >= np.float32(threshold)
        rejected.append(~accepted[probe, mate])
        label = f"{strength:g}"
        points.append(
            Point(
                label,
                float(strength),
                rate_figure("fnmr", rejected[-1], subjects[probes][probe], None, params),
                rate_figure(
                    "fmr",
                    accepted[against, stranger],
                    subjects[probes][against],
                    subjects[stranger],
                    params,
                ),
            )
        )
    doubles = _doubling(condition, strengths, np.array(rejected), subjects[probes][probe], params)
    return Sweep(
        condition.name, condition.family, condition.label, condition.unit, tuple(points), doubles,
        shown,
    )  # fmt: skip


def _doubling(
    condition: Condition,
    strengths: tuple[float, ...],
    rejected: NDArray[np.bool_],
    subjects: NDArray[np.int64],
    params: EvaluateParams,
) -> Figure:
    """Where FNMR is twice its value at the first strength, between strengths by a straight line.

    The interval comes from drawing subjects; an end beyond the worst strength is left open (null),
    which is the lower one where less is worse, as for resolution.

    Args: rejected bool [strengths, trials]; subjects int64 [trials].
    """
    _, codes = np.unique(subjects, return_inverse=True)
    people = int(codes.max()) + 1
    errors = np.stack([np.bincount(codes, line, people) for line in rejected.astype(float)], axis=1)
    trials = np.bincount(codes, minlength=people).astype(float)
    rng = np.random.default_rng(params.seed)
    drawn = rng.multinomial(people, np.full(people, 1 / people), size=params.replicates)
    weight = drawn @ trials
    curves = (drawn @ errors)[weight > 0] / weight[weight > 0, None]
    found = crossing(rejected.mean(axis=1))
    spread = np.array([crossing(curve) for curve in curves])
    low, high = np.quantile(spread, [0.025, 0.975], method="nearest")

    def unit(place: float) -> float | None:
        known = np.isfinite(place)
        return float(np.interp(place, np.arange(len(strengths)), strengths)) if known else None

    ends = (unit(low), unit(high)) if strengths[-1] > strengths[0] else (unit(high), unit(low))
    return Figure(
        name="fnmr_doubles_at",
        value=unit(found),
        low=ends[0],
        high=ends[1],
        n=int(rejected.shape[1]),
        slice=f"condition={condition.name}",
        method=f"simulated, in {condition.unit}; subject bootstrap; an FNMR below "
        f"{LEAST_BASE:.0%} counts as {LEAST_BASE:.0%}; null = beyond the worst strength tried",
    )


def crossing(curve: NDArray[np.float64]) -> float:
    """Place between strengths at which a curve reaches twice its start; infinity if it never does."""
    target = 2 * max(float(curve[0]), LEAST_BASE)
    over = np.flatnonzero(curve >= target)
    if not len(over):
        return float("inf")
    after = int(over[0])
    before, there = float(curve[after - 1]), float(curve[after])
    return after - 1 + (target - before) / (there - before)


def _observed(test: Comparisons, threshold: float, params: EvaluateParams) -> Iterator[Sweep]:
    """FNMR and FMR by the difference of two sides in what the crops or labels say."""
    accepted = test.scores >= np.float32(threshold)
    for name, label, unit, apart, edges in (
        ("yaw", "head turned differently", "degrees, estimated", _apart(test, "yaw_deg"), _ANGLES),
        ("pitch", "head raised differently", "degrees, estimated", _apart(test, "pitch_deg"),
         _ANGLES),
        ("age", "years between the faces", "years, as labelled", _years_apart(test), _YEARS),
    ):  # fmt: skip
        points = tuple(
            Point(
                f"{low:g}–{high:g}",
                float("nan"),
                *_rates(test, accepted, (apart >= low) & (apart < high), params),
            )
            for low, high in itertools.pairwise(edges)
        )
        if any(point.fnmr.n for point in points):
            kept = tuple(point for point in points if point.fnmr.n or point.fmr.n)
            yield Sweep(name, "observed", label, unit, kept, None)


def _rates(
    test: Comparisons, accepted: NDArray[np.bool_], some: NDArray[np.bool_], params: EvaluateParams
) -> tuple[Figure, Figure]:
    first, second = test.subjects[test.first], test.subjects[test.second]
    mated, others = some & test.mated, some & ~test.mated
    return (
        rate_figure("fnmr", ~accepted[mated], first[mated], None, params),
        rate_figure("fmr", accepted[others], first[others], second[others], params),
    )


def _apart(test: Comparisons, column: str) -> NDArray[np.float64]:
    """Difference of the two sides of each trial; NaN where one is not known."""
    values = [np.nan if row[column] is None else row[column] for row in test.rows]
    return _difference(test, np.array(values, np.float64))


def _years_apart(test: Comparisons) -> NDArray[np.float64]:
    """By labelled age in years; where that is missing, by the times of capture; else NaN."""
    ages, years = [], []
    for row in test.rows:
        said = declared(row).get("age_years", declared(row).get("age", ""))
        ages.append(float(said) if said.replace(".", "", 1).isdigit() else np.nan)
        taken = row["captured_at"]
        years.append(np.nan if taken is None else taken.timestamp() / _SECONDS_A_YEAR)
    labelled = _difference(test, np.array(ages, np.float64))
    dated = _difference(test, np.array(years, np.float64))
    return np.where(np.isfinite(labelled), labelled, dated)


def _difference(test: Comparisons, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(values[test.first] - values[test.second]), np.float64)
