"""Let a registered version through the gate, or say why not; a refused one stays registered."""

import json
import logging
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from components.promote.gate import (
    Comparison,
    PromoteParams,
    comparison_reasons,
    coverage_reasons,
    evidence_reasons,
    floor_reasons,
    paired_comparison,
)
from components.promote.trials import Paired, paired_scores
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Registry, Store, Tracker, VersionRef
from vultus.contracts.words import CHAMPION, PREVIOUS
from vultus.errors import BadArtifact, BadSignature
from vultus.signing import ChampionPointer, PublicKey, verify_version

__all__ = ["PromoteParams", "PromoteReport", "promote_model"]

logger = logging.getLogger(__name__)

_MIN_SLICE = 30
"""Positive and negative test trials below which nothing is compared: chance would decide."""


class PromoteReport(BaseModel):
    """What the gate said."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    champion_before: int | None
    decision: Literal["passed", "refused"]
    reasons: tuple[str, ...]
    comparisons: tuple[dict[str, float | str], ...]
    seconds: float


def promote_model(
    version: Path,
    params: PromoteParams,
    *,
    registry: Registry,
    tracker: Tracker,
    store: Store,
    home: Home,
    public_key: PublicKey,
) -> PromoteReport:
    """Judge a registered ModelVersion and, if it passes, make it the champion.

    Args:
        version: ModelVersion folder, as `register` wrote it.
        params: the rules.
        registry, tracker: MLflow; the decision and each reason become tags of the version and a file
            of its run.
        store: pictures, for scoring a champion again on other trials.
        home: the verified copies and pointers that commands and server use.
        public_key: whose signature is trusted.
    Raises: BadArtifact, if the folder is not registered; TrackingUnavailable.
    """
    start = time.monotonic()
    artifact = ModelVersion.open(version)
    name = _name_of(artifact)
    ref = next(
        (v for v in registry.versions(name) if v.tags.get("digest") == artifact.digest), None
    )
    if ref is None:
        raise BadArtifact(
            f"{version} is not registered as {name}; run `vultus step register` first"
        )
    champion = registry.resolve(f"models:/{name}@{CHAMPION}")
    reasons, comparisons = _judge(
        artifact, ref, champion, params, registry, store, home, public_key
    )
    decision: Literal["passed", "refused"] = "refused" if reasons else "passed"
    report = PromoteReport(
        name=name,
        version=ref.version,
        champion_before=None if champion is None else champion.version,
        decision=decision,
        reasons=reasons,
        comparisons=tuple(vars(one) for one in comparisons),
        seconds=time.monotonic() - start,
    )
    if champion is None or champion.version != ref.version:
        _record(report, ref, registry, tracker)
    if decision == "passed":
        _crown(ref, champion, registry, home)
    logger.info("promote: done, %s %s %s", ref, decision, "; ".join(reasons))
    return report


def _judge(
    artifact: ModelVersion,
    ref: VersionRef,
    champion: VersionRef | None,
    params: PromoteParams,
    registry: Registry,
    store: Store,
    home: Home,
    public_key: PublicKey,
) -> tuple[tuple[str, ...], list[Comparison]]:
    """All reasons against the version, and what it was compared with."""
    try:
        verify_version(artifact.path, public_key)
    except BadSignature as error:
        return (str(error),), []
    reasons = list(floor_reasons(artifact, params))
    if champion is None or champion.version == ref.version:
        return tuple(reasons), []
    theirs = ModelVersion.open(registry.fetch(champion, home.models))
    reasons.extend(evidence_reasons(artifact, theirs))
    paired = paired_scores(artifact, theirs, store)
    reasons.extend(coverage_reasons(paired, _MIN_SLICE))
    comparisons = compare(paired, params)
    reasons.extend(comparison_reasons(comparisons, params))
    return tuple(reasons), comparisons


def compare(paired: Paired, params: PromoteParams) -> list[Comparison]:
    """The equal error rate over all trials and over every slice that has enough of both kinds."""
    slices = sorted({name for names in paired.slices for name in names})
    chosen = {"all": np.ones(len(paired.positive), bool)}
    chosen |= {name: np.array([name in names for names in paired.slices]) for name in slices}
    comparisons = []
    for name, keep in chosen.items():
        positive = paired.positive[keep]
        if min(positive.sum(), (~positive).sum()) < _MIN_SLICE:
            continue
        _, groups = np.unique(paired.groups[keep], return_inverse=True)
        comparisons.append(
            paired_comparison(
                f"EER ({name})",
                paired.candidate[keep],
                paired.champion[keep],
                positive,
                groups.astype(np.int64),
                params,
            )
        )
    return comparisons


def _record(report: PromoteReport, ref: VersionRef, registry: Registry, tracker: Tracker) -> None:
    registry.tag(
        ref,
        {"gate": report.decision, "gate_reasons": "; ".join(report.reasons) or "all rules hold"},
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gate.json"
        file.write_text(json.dumps(report.model_dump(mode="json"), indent=2))
        with tracker.run(report.name, "promote", run_id=ref.run_id) as run:
            run.log_file(file, "gate")


def _crown(ref: VersionRef, champion: VersionRef | None, registry: Registry, home: Home) -> None:
    """Move the aliases, then the local pointer; doing it twice changes nothing."""
    if champion is not None and champion.version != ref.version:
        registry.set_alias(champion, PREVIOUS)
    if champion is None or champion.version != ref.version:
        registry.set_alias(ref, CHAMPION)
    folder = registry.fetch(ref, home.models)
    ChampionPointer(
        name=ref.name, version=ref.version, path=folder, digest=ref.tags["digest"]
    ).write(home)


def _name_of(artifact: ModelVersion) -> str:
    return artifact.statement.name
