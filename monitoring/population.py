"""Two-sample tests that Evidently has not: the population behind the sketches, the mix of decisions.

Both compare shares of +1 / of categories and take their threshold from permutations: rows of both
windows are thrown together and dealt out again, so that no distribution has to be assumed.
Source: Good, Permutation, Parametric and Bootstrap Tests of Hypotheses, 3rd ed., 2005, chapter 3.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.params import MonitorParams
from monitoring.reference import Reference
from monitoring.strata import ANY, Sample, Stratum
from monitoring.window import Window
from vultus.contracts.traffic import SKETCH_LENGTH
from vultus.contracts.words import RECOGNITION_MODEL

_BATCH = 250
_PERMUTED_ROWS = 2000
"""Rows a side that are permuted: above, the permutation threshold is below any effect of interest."""


@dataclass(frozen=True)
class Permuted:
    """One test. p: share of permutations at least as far apart, the observed one counted in.

    course: rows projected on the direction of the shift, to see when it began.
    """

    column: str
    operation: str
    statistic: float
    effect: float
    p: float
    before: float
    now: float
    category: str | None = None
    judged: bool = True
    course: Sample | None = None


def population_tests(window: Window, reference: Reference, params: MonitorParams) -> list[Permuted]:
    """One test of the sketches an operation, where both sides have enough rows.

    It is judged only against a live reference: a laboratory's people are never the door's.
    """
    tests = []
    for operation in _operations(window.table):
        (now, times), (before, _) = (
            sketches(_of(t, operation), reference) for t in (window.table, reference.table)
        )
        if min(len(now), len(before)) < params.min_rows:
            continue
        statistic, p = sketch_distance(before, now, params)
        shift = now.mean(axis=0) - before.mean(axis=0)
        stratum = Stratum(operation, ANY)
        tests.append(
            Permuted(
                column="sketch",
                operation=operation,
                statistic=statistic,
                effect=params.population_effect,
                p=p,
                before=0.0,
                now=float(np.sqrt(statistic)),
                judged=reference.live,
                course=Sample("sketch", stratum, before @ shift, now @ shift, times),
            )
        )
    return tests


def mix_tests(window: Window, reference: Reference, params: MonitorParams) -> list[Permuted]:
    """How an operation's requests were decided, against a live reference alone (total variation)."""
    if not reference.live:
        return []
    tests = []
    for operation in _operations(window.table):
        now, before = (_outcomes(_of(t, operation)) for t in (window.table, reference.table))
        if min(now.size, before.size) < params.min_rows:
            continue
        names, codes = np.unique(np.concatenate([before, now]), return_inverse=True)
        counts = [
            np.bincount(part, minlength=names.size)
            for part in (codes[: before.size], codes[before.size :])
        ]
        statistic, p = variation_distance(counts[0], counts[1], params)
        shares = [part / part.sum() for part in counts]
        widest = int(np.argmax(np.abs(shares[1] - shares[0])))
        tests.append(
            Permuted(
                column="decision",
                operation=operation,
                statistic=statistic,
                effect=params.mix_effect,
                p=p,
                before=float(shares[0][widest]),
                now=float(shares[1][widest]),
                category=str(names[widest]),
            )
        )
    return tests


def sketch_distance(
    before: NDArray[np.int8], now: NDArray[np.int8], params: MonitorParams
) -> tuple[float, float]:
    """Mean squared difference of the mean signs, and its permutation p.

    Args: before int8 [N, 16], now int8 [M, 16], values -1 and 1.
    """
    rng = np.random.default_rng(params.seed)
    ours, theirs = (_drawn(side, rng) for side in (now, before))
    pooled = np.concatenate([theirs, ours]).astype(np.float32)
    total, n = pooled.sum(axis=0), len(theirs)

    def distance(sums: NDArray[np.float32]) -> NDArray[np.float64]:
        gap = sums / n - (total - sums) / (len(pooled) - n)
        return np.asarray(np.mean(np.square(gap, dtype=np.float64), axis=-1))

    observed = float(distance(pooled[:n].sum(axis=0)))
    at_least = 0
    permutations = _permutations(params)
    for start in range(0, permutations, _BATCH):
        count = min(_BATCH, permutations - start)
        keys = rng.random((count, len(pooled)), dtype=np.float32)
        picked = np.zeros(keys.shape, np.float32)
        np.put_along_axis(picked, np.argpartition(keys, n - 1, axis=1)[:, :n], 1.0, axis=1)
        at_least += int(np.sum(distance(picked @ pooled) >= observed - 1e-9))
    return observed, (1 + at_least) / (1 + permutations)


def variation_distance(
    before: NDArray[np.int64], now: NDArray[np.int64], params: MonitorParams
) -> tuple[float, float]:
    """Total variation of two counts int64 [K] over the same categories, and its permutation p."""
    rng = np.random.default_rng(params.seed)
    total, n = before + now, int(now.sum())

    def distance(counts: NDArray[np.int64]) -> NDArray[np.float64]:
        gap = counts / n - (total - counts) / max(int(total.sum()) - n, 1)
        return np.asarray(0.5 * np.abs(gap).sum(axis=-1))

    observed = float(distance(now))
    permutations = _permutations(params)
    dealt = rng.multivariate_hypergeometric(total, n, size=permutations)
    at_least = int(np.sum(distance(dealt) >= observed - 1e-9))
    return observed, (1 + at_least) / (1 + permutations)


def sketches(
    table: pa.Table, reference: Reference
) -> tuple[NDArray[np.int8], NDArray[np.datetime64]]:
    """int8 [N, 16] and times [N] of the rows that have one, of the reference's recogniser alone."""
    keep = pc.fill_null(pc.equal(pc.list_value_length(table["sketch"]), SKETCH_LENGTH), False)
    if RECOGNITION_MODEL in reference.models:
        ours = pc.equal(table["model_recognition"], reference.models[RECOGNITION_MODEL])
        keep = pc.and_(keep, pc.fill_null(ours, True))
    kept = table.filter(keep)
    signs = np.asarray(kept["sketch"].combine_chunks().flatten(), np.int8)
    times = kept["ts"].to_numpy().astype("datetime64[ms]")
    return signs.reshape(-1, SKETCH_LENGTH), times


def _permutations(params: MonitorParams) -> int:
    """Enough that the smallest p there can be passes Holm over eight tests of three families."""
    return max(params.permutations, int(2 * 3 * 8 / params.false_alarm_rate))


def _operations(table: pa.Table) -> list[str]:
    return sorted(pc.unique(table["operation"]).to_pylist())


def _of(table: pa.Table, operation: str) -> pa.Table:
    return table.filter(pc.equal(table["operation"], operation))


def _outcomes(table: pa.Table) -> NDArray[np.str_]:
    """`match`, `not_decided: no_face`, ..."""
    decisions, reasons = (table[name].to_pylist() for name in ("decision", "reason"))
    return np.array(
        [d if r is None else f"{d}: {r}" for d, r in zip(decisions, reasons, strict=True)], np.str_
    )


def _drawn(side: NDArray[np.int8], rng: np.random.Generator) -> NDArray[np.int8]:
    if len(side) <= _PERMUTED_ROWS:
        return side
    return side[rng.choice(len(side), _PERMUTED_ROWS, replace=False)]
