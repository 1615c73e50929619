"""Everything one pass knows about its window: the numbers, the verdicts and the report of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring import drift
from monitoring.findings import (
    Finding,
    PermutedFinding,
    drift_tests,
    findings_of,
    permuted_findings,
)
from monitoring.params import MonitorParams
from monitoring.population import mix_tests, population_tests
from monitoring.reference import Reference, reference_window
from monitoring.security import AttackReport, attacks_in
from monitoring.sentence import answer
from monitoring.strata import Thin, samples_of
from monitoring.window import Window, current_window
from vultus.contracts.home import Home
from vultus.contracts.traffic import DriftReport


@dataclass(frozen=True)
class Examination:
    """One window against its reference. evidently: None where no stratum had enough rows."""

    window: Window
    reference: Reference
    params: MonitorParams
    findings: Sequence[Finding]
    permuted: Sequence[PermutedFinding]
    attacks: AttackReport
    thin: Sequence[Thin]
    evidently: drift.Computed | None

    def report(self) -> DriftReport:
        """As the contract keeps it."""
        tests = [
            *drift_tests(self.findings, self.permuted, self.params),
            *self.attacks.tests(self.params),
        ]
        judged = bool(self.findings) or any(one.test.judged for one in self.permuted)
        status = "ok" if judged else "not_enough_data"
        return DriftReport(
            window_start=self.window.start,
            window_end=self.window.end,
            rows=self.window.rows,
            reference=self.reference.id,
            params=self.params.flat(),
            tests=tuple(tests),
            status="drift" if any(test.drifted for test in tests) else status,
            answer=answer(
                self.window,
                self.reference,
                self.findings,
                self.permuted,
                self.attacks,
                self.thin,
                self.params,
            ),
        )


def examine_home(home: Home, params: MonitorParams, *, now: datetime) -> Examination:
    """The newest traffic of a home against its reference. Raises: BadArtifact."""
    window = current_window(
        home.features, now=now, last_h=params.last_h, last_rows=params.last_rows
    )
    return examine(window, reference_window(home), params)


def examine(window: Window, reference: Reference, params: MonitorParams) -> Examination:
    """Test every sample, population and mix of decisions, and count attacks."""
    samples, thin = samples_of(window, reference, params)
    computed = drift.compute(samples, params) if samples else None
    tests = [*population_tests(window, reference, params), *mix_tests(window, reference, params)]
    return Examination(
        window=window,
        reference=reference,
        params=params,
        findings=findings_of(samples, computed.statistics, params) if computed else [],
        permuted=permuted_findings(tests, params),
        attacks=attacks_in(window, reference, params),
        thin=thin,
        evidently=computed,
    )
