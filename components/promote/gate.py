"""The rules of the gate: pure functions from two versions' raw scores and figures to reasons.

No reason means: passed. A reason is one sentence that a person reads in MLflow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from components.promote.budget import megabytes
from components.promote.params import PromoteParams
from components.promote.reckoning import figures_of
from components.promote.trials import Paired
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Evidence, Verdict
from vultus.metrics import Ranking, bootstrap, holm

_PARITY_TOLERANCE = 1e-3
WHOLE = "all"
"""The slice of all trials."""


@dataclass(frozen=True)
class Comparison:
    """Candidate and champion on the same trials; the figure is an error rate, lower is better.

    low, high: confidence interval of candidate - champion, NaN where the test has none; p: one-sided,
    of such a loss beyond the tolerance by chance alone.
    """

    figure: str
    candidate: float
    champion: float
    low: float
    high: float
    p: float = 1.0
    method: str = "bootstrap"


def eer_of(slice_name: str) -> str:
    """What the comparison of the equal error rate over a slice is called."""
    return f"EER ({slice_name})"


def floor_reasons(version: ModelVersion, params: PromoteParams) -> Iterator[str]:
    """What any version must reach, champion or not."""
    if version.parity.max_abs_difference > max(version.parity.tolerance, _PARITY_TOLERANCE):
        yield (
            f"the exported model differs from the trained one by "
            f"{version.parity.max_abs_difference:.2g} (tolerance {version.parity.tolerance:.2g})"
        )
    size_mb = megabytes(version)
    if size_mb > params.max_model_mb:
        yield f"the networks weigh {size_mb:.0f} MB, the budget is {params.max_model_mb:.0f} MB"
    figures = {f.name: f for f in figures_of(version) if f.slice == "all"}
    if isinstance(version.transform, LivenessTransform):
        auc = figures.get("pad_auc")
        low = None if auc is None else auc.low if auc.low is not None else auc.value
        if low is None or not low >= params.min_pad_auc:
            yield f"PAD AUC may be as low as {low}, the floor is {params.min_pad_auc} (simulated test)"
        refused = figures.get("bpcer")
        if refused is not None and not (
            refused.value is not None and refused.value <= params.max_bpcer
        ):
            yield (
                f"BPCER on the test split is {refused.value} at the thresholds that validation gave, "
                f"the floor is {params.max_bpcer:g}: they do not hold for other people and cameras"
            )
    else:
        eer = figures.get("eer")
        if eer is None or eer.value is None or not eer.value <= params.max_eer:  # NaN is refused
            value = None if eer is None else eer.value
            yield f"EER on the test split is {value}, the floor is {params.max_eer}"


def comparison_reasons(comparisons: Sequence[Comparison], params: PromoteParams) -> Iterator[str]:
    """Worse than the champion beyond chance and beyond the tolerance, on any guarded slice.

    Many slices are tested at once: the p-values are adjusted by Holm, so that an equal candidate is
    refused with at most the chance (1 - confidence) / 2, however many slices there are. Few trials
    show little; so a large rise of the EER over all trials is refused on weaker evidence, `doubt`.
    """
    adjusted = holm([one.p for one in comparisons])
    for one, p in zip(comparisons, adjusted, strict=True):
        rose = f"{one.figure} rose from {one.champion:.4f} to {one.candidate:.4f}"
        most = one.champion * (1 + params.max_rise) + params.tolerance
        if p <= (1 - params.confidence) / 2 and one.candidate - one.champion > params.tolerance:
            interval = (
                f"{params.confidence:.0%} interval of the difference {one.low:+.4f} to {one.high:+.4f}, "
                if np.isfinite(one.low)
                else ""
            )
            yield (
                f"{rose} "
                f"({interval}p = {p:.2g} after Holm over {len(comparisons)} tests, {one.method})"
            )
        elif one.figure == eer_of(WHOLE) and one.candidate > most and one.p <= params.doubt:
            yield (
                f"{rose}; above {most:.4f} (max_rise, tolerance) doubt speaks for the champion: "
                f"p = {one.p:.2g} by itself, {params.doubt:g} is enough ({one.method})"
            )


def verdict_reasons(candidate: ModelVersion, champion: ModelVersion) -> Iterator[str]:
    """A requirement that the champion meets or leaves open, and the candidate fails."""
    rank = {Verdict.FAIL: 0, Verdict.NOT_ENOUGH_DATA: 1, Verdict.PASS: 2}
    theirs = {(f.name, f.slice): f for f in figures_of(champion) if f.verdict is not None}
    for figure in figures_of(candidate):
        before = theirs.get((figure.name, figure.slice))
        if before is None or figure.verdict is None or before.verdict is None:
            continue
        fell = rank[figure.verdict] < rank[before.verdict]
        worse = (figure.value or 0) > (before.value or 0)
        if fell and worse and figure.verdict is Verdict.FAIL:
            yield (
                f"verdict on {figure.name} ({figure.slice}) fell from {before.verdict.value} to "
                f"{figure.verdict.value}"
            )


def evidence_reasons(candidate: ModelVersion, champion: ModelVersion) -> Iterator[str]:
    """Simulated evidence never replaces real evidence, in no room that a real member covers."""
    ours, theirs = candidate.transform, champion.transform
    if not isinstance(ours, LivenessTransform) or not isinstance(theirs, LivenessTransform):
        return
    edges = {edge for member in ours.members for edge in (member.room_min, member.room_max)}
    for member in theirs.members:
        if member.evidence is not Evidence.REAL:
            continue
        # Between two edges nothing changes, so one look at the start of every piece sees all rooms.
        inside = {edge for edge in edges if member.room_min < edge < member.room_max}
        for start in sorted({member.room_min, *inside}):
            heir = next((m for m in ours.members if m.room_min <= start < m.room_max), None)
            if heir is None or heir.evidence is not Evidence.REAL:
                other = "nothing" if heir is None else heir.name
                yield (
                    f"from room {start:g} on, {member.name} has real evidence; "
                    f"{other} would replace it with simulated evidence"
                )
                break


def coverage_reasons(paired: Paired, least: int) -> Iterator[str]:
    """A comparison needs enough trials, and a candidate may not pass by leaving hard ones out.

    Args: least: trials of either kind below which chance would decide.
    """
    positive, negative = int(paired.positive.sum()), int((~paired.positive).sum())
    if min(positive, negative) < least:
        yield (
            f"too few test trials to compare with the champion: {positive} mated or bona fide and "
            f"{negative} others, {least} of each are needed; add data"
        )
    if paired.unscored:
        yield (
            f"{paired.unscored} test trials that the champion scores have no score here; "
            "a version must answer wherever the champion does"
        )


def paired_comparison(
    figure: str,
    candidate: NDArray[np.float64],
    champion: NDArray[np.float64],
    positive: NDArray[np.bool_],
    groups: NDArray[np.int64],
    params: PromoteParams,
) -> Comparison:
    """Bootstrap over groups (subjects or images) of the difference of two equal error rates.

    Args: candidate, champion: scores float64 [N] on the same trials; groups int64 [N]: what is drawn
        with replacement, because trials of one subject depend on each other.
    """
    ours, theirs = Ranking(candidate, positive), Ranking(champion, positive)
    interval = bootstrap(
        lambda weights: ours.equal_error_rate(weights) - theirs.equal_error_rate(weights),
        groups,
        replicates=params.replicates,
        confidence=params.confidence,
        seed=params.seed,
    )
    # One group, or hardly a draw with both kinds of trial: nothing is known, so nothing is worse.
    low, high = interval or (-1.0, 1.0)
    mine, known = ours.equal_error_rate(), theirs.equal_error_rate()
    # The half width of a normal interval is z standard errors; p of a loss beyond the tolerance.
    spread = (high - low) / (2 * NormalDist().inv_cdf((1 + params.confidence) / 2))
    loss = mine - known - params.tolerance
    p = 1 - NormalDist().cdf(loss / spread) if spread > 0 else float(loss <= 0)
    return Comparison(figure, mine, known, low, high, p, "bootstrap over subjects or pictures")
