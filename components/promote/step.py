"""Let a registered version through the gate, or say why not; a refused one stays registered."""

import hashlib
import json
import logging
import math
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from components.promote.judging import Check, judge
from components.promote.params import PromoteParams
from components.promote.reckoning import figures_of
from components.promote.triggers import NOT_COVERED
from vultus.contracts.home import Home
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Registry, Store, Tracker, VersionRef
from vultus.contracts.words import CHAMPION, PREVIOUS
from vultus.errors import BadArtifact
from vultus.metrics import worst_verdict
from vultus.signing import ChampionPointer, Decision, PrivateKey, public_key_of, sign_decision

__all__ = ["PromoteParams", "PromoteReport", "promote_model"]

logger = logging.getLogger(__name__)


class PromoteReport(BaseModel):
    """What the gate said."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: int
    champion_before: int | None
    decision: Literal["passed", "refused"]
    reasons: tuple[str, ...]
    checks: tuple[Check, ...] = Field(default=(), description="every rule, in order")
    comparisons: tuple[dict[str, float | str | None], ...]
    params: PromoteParams = Field(default=PromoteParams(), description="the rules' numbers")
    verdict: str = Field(default="", description="of the version's own evaluation")
    note: str = f"backdoors: a small sweep of patches; {NOT_COVERED}"
    seconds: float


def promote_model(
    version: Path,
    params: PromoteParams,
    *,
    registry: Registry,
    tracker: Tracker,
    store: Store,
    home: Home,
    signing_key: PrivateKey,
) -> PromoteReport:
    """Judge a registered ModelVersion and, if it passes, make it the champion.

    Args:
        version: ModelVersion folder, as `register` wrote it.
        params: the rules.
        registry, tracker: MLflow; the decision and each reason become tags of the version and files
            of its run, signed.
        store: pictures, for scoring a champion again on other trials.
        home: the verified copies and pointers that commands and server use.
        signing_key: whose signature is trusted, and which signs the decision.
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
    theirs = None
    if champion is not None and champion.version != ref.version:
        theirs = ModelVersion.open(registry.fetch(champion, home.models))
    judged = judge(artifact, theirs, params, store, public_key_of(signing_key))
    decision: Literal["passed", "refused"] = "refused" if judged.reasons else "passed"
    report = PromoteReport(
        name=name,
        version=ref.version,
        champion_before=None if champion is None else champion.version,
        decision=decision,
        reasons=judged.reasons,
        checks=judged.checks,
        comparisons=tuple(_plain(vars(one)) for one in judged.comparisons),
        params=params,
        verdict=worst_verdict(f.verdict for f in figures_of(artifact)).value,
        seconds=time.monotonic() - start,
    )
    if champion is None or champion.version != ref.version:
        _record(report, ref, signing_key, registry, tracker)
    if decision == "passed":
        _crown(ref, champion, registry, home)
    logger.info("promote: done, %s %s %s", ref, decision, "; ".join(judged.reasons))
    return report


def _record(
    report: PromoteReport,
    ref: VersionRef,
    key: PrivateKey,
    registry: Registry,
    tracker: Tracker,
) -> None:
    """The report as a file of the run; the decision, which names that file's bytes, beside it and as a
    tag, with its signature."""
    said = json.dumps(report.model_dump(mode="json"), indent=2)
    decision = Decision(
        name=report.name,
        version=report.version,
        digest=ref.tags["digest"],
        champion_before=report.champion_before,
        decision=report.decision,
        report_sha256=hashlib.sha256(said.encode()).hexdigest(),
    )
    text, signature = sign_decision(decision, key)
    tags = {
        "gate": report.decision,
        "gate_reasons": "; ".join(report.reasons) or "all rules hold",
        "gate_decision": text,
        "gate_signature": signature,
    }
    registry.tag(ref, tags)
    with (
        tempfile.TemporaryDirectory() as folder,
        tracker.run(report.name, "promote", run_id=ref.run_id) as run,
    ):
        for name, content in (
            ("gate.json", said),
            ("decision.json", text),
            ("decision.sig", signature),
        ):
            (Path(folder) / name).write_bytes(content.encode())
            run.log_file(Path(folder) / name, "gate")


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


def _plain(values: dict[str, Any]) -> dict[str, float | str | None]:
    """JSON knows no NaN."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()
    }


def _name_of(artifact: ModelVersion) -> str:
    return artifact.statement.name
