"""The rules of the gate: pure functions from two versions' raw scores and figures to reasons.

An empty tuple means: passed. A reason is one sentence that a person reads in MLflow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from components.promote.trials import Paired
from vultus.contracts.evaluation import FIGURES, Figure
from vultus.contracts.models import ModelVersion
from vultus.contracts.transform import LivenessTransform
from vultus.contracts.words import Evidence
from vultus.metrics import Ranking, bootstrap

_PARITY_TOLERANCE = 1e-3


class PromoteParams(BaseModel):
    """Rules of the gate. Floors are for any data and are guesses until a site sets its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_eer: float = Field(default=0.15, gt=0, lt=1, description="recognition, test split")
    min_pad_auc: float = Field(default=0.6, ge=0.5, lt=1, description="lower end of the interval")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of the paired comparison")
    replicates: int = Field(default=400, ge=50, description="bootstrap over subjects or images")
    tolerance: float = Field(
        default=0.002, ge=0, description="loss of the guarded figure that is taken for equal"
    )
    max_model_mb: float = Field(default=250, gt=0)
    seed: int = 0


@dataclass(frozen=True)
class Comparison:
    """Candidate and champion on the same trials; the figure is an error rate, lower is better.

    low, high: confidence interval of candidate - champion.
    """

    figure: str
    candidate: float
    champion: float
    low: float
    high: float


def floor_reasons(version: ModelVersion, params: PromoteParams) -> Iterator[str]:
    """What any version must reach, champion or not."""
    if version.parity.max_abs_difference > max(version.parity.tolerance, _PARITY_TOLERANCE):
        yield (
            f"the exported model differs from the trained one by "
            f"{version.parity.max_abs_difference:.2g} (tolerance {version.parity.tolerance:.2g})"
        )
    size_mb = sum(file.stat().st_size for file in version.path.rglob("*.onnx")) / 1e6
    if size_mb > params.max_model_mb:
        yield f"the networks weigh {size_mb:.0f} MB, the budget is {params.max_model_mb:.0f} MB"
    figures = {f.name: f for f in _figures(version) if f.slice == "all"}
    if isinstance(version.transform, LivenessTransform):
        auc = figures.get("pad_auc")
        low = None if auc is None else auc.low if auc.low is not None else auc.value
        if low is None or not low >= params.min_pad_auc:
            yield f"PAD AUC may be as low as {low}, the floor is {params.min_pad_auc} (simulated test)"
    else:
        eer = figures.get("eer")
        if eer is None or eer.value is None or not eer.value <= params.max_eer:  # NaN is refused
            value = None if eer is None else eer.value
            yield f"EER on the test split is {value}, the floor is {params.max_eer}"


def comparison_reasons(comparisons: Sequence[Comparison], params: PromoteParams) -> Iterator[str]:
    """Worse than the champion beyond chance and beyond the tolerance."""
    for one in comparisons:
        if one.low > params.tolerance:
            yield (
                f"{one.figure} rose from {one.champion:.4f} to {one.candidate:.4f} "
                f"({params.confidence:.0%} interval of the difference {one.low:+.4f} to {one.high:+.4f})"
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
    return Comparison(figure, ours.equal_error_rate(), theirs.equal_error_rate(), low, high)


def _figures(version: ModelVersion) -> list[Figure]:
    return FIGURES.validate_json((version.path / "figures.json").read_bytes())
