"""Error rates, curves, intervals and verdicts: pure numpy, in the words of ISO/IEC 19795-1 and 30107-3.

Scores: higher = more alike / more bona fide; accepted when score >= threshold.
"""

from vultus.metrics.bootstrap import bootstrap, trial_weights
from vultus.metrics.calibration import Calibration, calibrate, cllr, isotonic_llr
from vultus.metrics.decisions import Decisions
from vultus.metrics.intervals import Interval, clopper_pearson, rule_of_three, wilson
from vultus.metrics.paired import holm, mcnemar, mcnemar_by_group
from vultus.metrics.ranking import Det, Ranking, auc, det, equal_error_rate
from vultus.metrics.rates import (
    apcer,
    bpcer,
    bpcer_at_apcer,
    fmr,
    fnmr,
    threshold_at_bpcer,
    threshold_at_fmr,
)
from vultus.metrics.species import BpcerAtApcer
from vultus.metrics.verdict import judge, trials_needed, trials_needed_for, worst_verdict

__all__ = [
    "BpcerAtApcer",
    "Calibration",
    "Decisions",
    "Det",
    "Interval",
    "Ranking",
    "apcer",
    "auc",
    "bootstrap",
    "bpcer",
    "bpcer_at_apcer",
    "calibrate",
    "cllr",
    "clopper_pearson",
    "det",
    "equal_error_rate",
    "fmr",
    "fnmr",
    "holm",
    "isotonic_llr",
    "judge",
    "mcnemar",
    "mcnemar_by_group",
    "rule_of_three",
    "threshold_at_bpcer",
    "threshold_at_fmr",
    "trial_weights",
    "trials_needed",
    "trials_needed_for",
    "wilson",
    "worst_verdict",
]
