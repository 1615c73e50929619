"""From statistics to verdicts: what is significant over all tests of a pass, and large enough.

Multiple testing: the false alarm rate of a whole pass is divided among three families (columns;
populations and mixes of decisions; attacks; Bonferroni), and inside each by Holm's step-down
procedure, which holds for tests that depend on each other, as these do.
Source: Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitoring.onset import Onset, onset_of
from monitoring.params import MonitorParams
from monitoring.population import Permuted
from monitoring.strata import SCORES, Sample
from vultus.contracts.traffic import DriftTest

FAMILIES = 3


@dataclass(frozen=True)
class Statistics:
    """What Evidently computed of one sample: Kolmogorov-Smirnov p, Wasserstein distance in
    standard deviations of the reference."""

    ks_p: float
    wasserstein: float


@dataclass(frozen=True)
class Finding:
    """The verdict on one column in one stratum; both conditions are needed.

    p: adjusted for all tests of the pass, so that it compares with the pass's false alarm rate.
    limit: distance from which a change counts.
    """

    sample: Sample
    statistics: Statistics
    p: float
    limit: float
    drifted: bool
    onset: Onset | None

    @property
    def strength(self) -> float:
        """How far beyond its limit."""
        return self.statistics.wasserstein / self.limit

    @property
    def levels(self) -> tuple[float, float]:
        """Reference and now: inside the change, where there is one; else the medians."""
        if self.onset is not None:
            return self.onset.before, self.onset.now
        return float(np.median(self.sample.reference)), float(np.median(self.sample.current))


@dataclass(frozen=True)
class PermutedFinding:
    """The verdict on a population or a mix of decisions; p as in Finding."""

    test: Permuted
    p: float
    drifted: bool
    onset: Onset | None = None


def findings_of(
    samples: Sequence[Sample], statistics: Sequence[Statistics], params: MonitorParams
) -> list[Finding]:
    """One verdict a sample."""
    adjusted = FAMILIES * holm(np.array([one.ks_p for one in statistics]))
    findings = []
    for sample, numbers, p in zip(samples, statistics, adjusted, strict=True):
        limit = effect_limit(sample, params)
        drifted = bool(p <= params.false_alarm_rate and numbers.wasserstein >= limit)
        onset = onset_of(sample) if drifted else None
        findings.append(Finding(sample, numbers, float(min(p, 1)), limit, drifted, onset))
    return findings


def permuted_findings(tests: Sequence[Permuted], params: MonitorParams) -> list[PermutedFinding]:
    """One verdict a permutation test; `tests` are one family."""
    findings = []
    for one, p in zip(tests, FAMILIES * holm(np.array([one.p for one in tests])), strict=True):
        drifted = bool(one.judged and p <= params.false_alarm_rate and one.statistic >= one.effect)
        onset = onset_of(one.course) if drifted and one.course is not None else None
        findings.append(PermutedFinding(one, float(min(p, 1)), drifted, onset))
    return findings


def effect_limit(sample: Sample, params: MonitorParams) -> float:
    """The smallest distance that matters, in standard deviations of the reference.

    A column that hardly varies (eye distance at its ceiling) makes any change many deviations: what
    counts there is the floor in the column's own unit.
    """
    if sample.column in SCORES:
        floor = params.score_floor
    elif sample.column.startswith("latency"):
        floor = params.latency_floor_ms
    else:
        floor = params.quality_floor
    # Evidently divides by the deviation too, but never by less than 0.001.
    return max(params.effect, floor / max(float(np.std(sample.reference)), 1e-3))


def holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p values, float64 [K]: reject where <= alpha. Not capped at 1."""
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = stepped
    return adjusted


def drift_tests(
    findings: Sequence[Finding], permuted: Sequence[PermutedFinding], params: MonitorParams
) -> list[DriftTest]:
    """As the contract keeps them: `drifted` is the verdict on the column, alike in its two rows.

    `<column> ks`: adjusted p, drifted needs it <= threshold. `<column> wasserstein`: distance,
    drifted needs it >= threshold.
    """
    tests = []
    for one in findings:
        where = one.sample.stratum.slice
        for name, statistic, threshold in (
            ("ks", one.p, params.false_alarm_rate),
            ("wasserstein", one.statistics.wasserstein, one.limit),
        ):
            tests.append(
                DriftTest(
                    name=f"{one.sample.column} {name}",
                    slice=where,
                    statistic=statistic,
                    threshold=threshold,
                    drifted=one.drifted,
                )
            )
    for other in permuted:
        kind = "squared shift" if other.test.column == "sketch" else "total variation"
        tests.append(
            DriftTest(
                name=f"{other.test.column} {kind}",
                slice=f"operation={other.test.operation}",
                statistic=other.test.statistic,
                threshold=other.test.effect,
                drifted=other.drifted,
            )
        )
    return tests
