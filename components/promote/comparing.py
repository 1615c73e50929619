"""Candidate and champion on the same trials, over all of them and over every guarded slice."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from components.promote.gate import WHOLE, Comparison, eer_of, paired_comparison
from components.promote.params import PromoteParams
from components.promote.trials import Paired
from vultus.contracts.models import ModelVersion
from vultus.inference.thresholds import Thresholds
from vultus.metrics import mcnemar_by_group, threshold_at_bpcer

Flags = NDArray[np.bool_]


def compare(
    paired: Paired, params: PromoteParams, at: tuple[float, float] | None = None
) -> list[Comparison]:
    """The equal error rate, and the errors at the shared operating point.

    Args: at: thresholds of candidate and champion there; None = the equal error rate alone.
    Returns: over all trials and every slice with at least `min_slice` trials of both kinds.
    """
    slices = sorted({name for names in paired.slices for name in names})
    chosen = {WHOLE: np.ones(len(paired.positive), bool)}
    chosen |= {name: np.array([name in names for names in paired.slices]) for name in slices}
    found: list[Comparison] = []
    for name, keep in chosen.items():
        positive = paired.positive[keep]
        if min(positive.sum(), (~positive).sum()) < params.min_slice:
            continue
        found.append(
            paired_comparison(
                eer_of(name),
                paired.candidate[keep],
                paired.champion[keep],
                positive,
                _codes(paired.groups[keep]),
                params,
            )
        )
        if at is not None:
            found.extend(_at_the_point(name, paired, keep, at))
    return found


def operating_point(
    paired: Paired, candidate: ModelVersion, champion: ModelVersion, params: PromoteParams
) -> tuple[float, float] | None:
    """Thresholds of both at the same FMR of their own tables; PAD: at the same BPCER on these trials."""
    if candidate.task == "recognition":
        return Thresholds.read(candidate).at(params.fmr), Thresholds.read(champion).at(params.fmr)
    live = paired.positive
    if not live.any():
        return None
    ours, theirs = paired.candidate[live], paired.champion[live]
    return threshold_at_bpcer(ours, params.bpcer), threshold_at_bpcer(theirs, params.bpcer)


def _at_the_point(
    name: str, paired: Paired, keep: Flags, at: tuple[float, float]
) -> Iterator[Comparison]:
    """Errors of one kind each, tested by McNemar with every subject counted once."""
    ours, theirs = paired.candidate >= np.float32(at[0]), paired.champion >= np.float32(at[1])
    kinds = {
        "positives refused": (keep & paired.positive, ~ours, ~theirs),
        "negatives accepted": (keep & ~paired.positive, ours, theirs),
    }
    for what, (part, mine, known) in kinds.items():
        p = mcnemar_by_group(mine[part], known[part], _codes(paired.groups[part]))
        yield Comparison(
            f"{what} at the shared operating point ({name})",
            float(mine[part].mean()),
            float(known[part].mean()),
            float("nan"),
            float("nan"),
            p,
            "McNemar over subjects or pictures",
        )


def _codes(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    _, codes = np.unique(groups, return_inverse=True)
    return codes.reshape(-1).astype(np.int64)
