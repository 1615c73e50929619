"""Error rates, curves, intervals and verdicts: pure numpy, in the words of ISO/IEC 19795-1 and 30107-3.

Scores: higher = more alike / more bona fide; accepted when score >= threshold.
"""

from vultus.metrics.bootstrap import bootstrap, bootstrap_share, percentiles, trial_weights
from vultus.metrics.calibration import Calibration, calibrate, cllr, isotonic_llr
from vultus.metrics.counts import ScoreCounts
from vultus.metrics.decisions import Decisions
from vultus.metrics.differentials import garbe, gini, worst_to_best
from vultus.metrics.everybody import Everybody
from vultus.metrics.generalised import acer, generalised_fmr, generalised_fnmr, riapar
from vultus.metrics.identification import (
    Searches,
    chance_among,
    cumulative_match,
    fmr_from_fpir,
    fnir,
    fpir,
    fpir_from_fmr,
    missed,
)
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
from vultus.metrics.resampling import Replicates, Resampled
from vultus.metrics.species import BpcerAtApcer
from vultus.metrics.streaming import ComparisonCounts, count_pairs
from vultus.metrics.verdict import judge, trials_needed, trials_needed_for, worst_verdict

__all__ = [
    "BpcerAtApcer",
    "Calibration",
    "ComparisonCounts",
    "Decisions",
    "Det",
    "Everybody",
    "Interval",
    "Ranking",
    "Replicates",
    "Resampled",
    "ScoreCounts",
    "Searches",
    "acer",
    "apcer",
    "auc",
    "bootstrap",
    "bootstrap_share",
    "bpcer",
    "bpcer_at_apcer",
    "calibrate",
    "chance_among",
    "cllr",
    "clopper_pearson",
    "count_pairs",
    "cumulative_match",
    "det",
    "equal_error_rate",
    "fmr",
    "fmr_from_fpir",
    "fnir",
    "fnmr",
    "fpir",
    "fpir_from_fmr",
    "garbe",
    "generalised_fmr",
    "generalised_fnmr",
    "gini",
    "holm",
    "isotonic_llr",
    "judge",
    "mcnemar",
    "mcnemar_by_group",
    "missed",
    "percentiles",
    "riapar",
    "rule_of_three",
    "threshold_at_bpcer",
    "threshold_at_fmr",
    "trial_weights",
    "trials_needed",
    "trials_needed_for",
    "wilson",
    "worst_to_best",
    "worst_verdict",
]
