"""All rules of the gate, one after the other; every rule says what it found and how long it took."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from components.promote.budget import budget_reasons
from components.promote.comparing import compare, operating_point
from components.promote.gate import (
    Comparison,
    comparison_reasons,
    coverage_reasons,
    evidence_reasons,
    floor_reasons,
    verdict_reasons,
)
from components.promote.lineage import age_reasons, leak_reasons
from components.promote.params import PromoteParams
from components.promote.parity import parity_reasons
from components.promote.reckoning import reckoning_reasons
from components.promote.trials import paired_scores
from components.promote.triggers import trigger_reasons
from vultus.contracts.models import ModelVersion
from vultus.contracts.seams import Store
from vultus.errors import BadSignature
from vultus.signing import PublicKey, verify_version

Outcome = Literal["passed", "refused", "not asked"]


class Check(BaseModel):
    """One rule of the gate."""

    model_config = ConfigDict(frozen=True)

    rule: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    seconds: float = Field(default=0.0, description="wall time")


@dataclass(frozen=True)
class Judgement:
    """What all rules found."""

    checks: tuple[Check, ...]
    comparisons: tuple[Comparison, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Against the version, in the order of the rules."""
        return tuple(reason for check in self.checks for reason in check.reasons)


_WITH_CHAMPION = ("evidence", "comparison", "verdict", "budget", "data age")


def judge(
    version: ModelVersion,
    champion: ModelVersion | None,
    params: PromoteParams,
    store: Store,
    public_key: PublicKey,
) -> Judgement:
    """Ask every rule; a version whose signature does not hold is not looked at any further.

    Args: champion: None for the first of a name: floors, lineage, parity and the sweep alone.
    Raises: BadArtifact, StorageUnavailable, where a picture that is needed is gone.
    """
    signed = _ask("signature", lambda: _signature_reasons(version, public_key))
    if signed.reasons:
        return Judgement((signed,))
    checks = [signed]
    alone: dict[str, Callable[[], Iterable[str]]] = {
        "floor": lambda: floor_reasons(version, params),
        "leak": lambda: leak_reasons(version, params),
        "reckoning": lambda: reckoning_reasons(version),
        "parity": lambda: parity_reasons(version, params, store),
    }
    checks += [_ask(rule, question) for rule, question in alone.items()]
    # What cannot be run, or is not what was evaluated, has no speed and no trigger worth a measurement.
    if not checks[-1].reasons:
        checks.append(_ask("backdoor", lambda: trigger_reasons(version, params, store)))
    if champion is None:
        checks += [Check(rule=rule, outcome="not asked") for rule in _WITH_CHAMPION]
        return Judgement(tuple(checks))
    found: list[Comparison] = []
    beside: dict[str, Callable[[], Iterable[str]]] = {
        "evidence": lambda: evidence_reasons(version, champion),
        "comparison": lambda: _compared(version, champion, params, store, found),
        "verdict": lambda: verdict_reasons(version, champion),
        "budget": lambda: budget_reasons(version, champion, params),
        "data age": lambda: age_reasons(version, champion, params),
    }
    checks += [_ask(rule, question) for rule, question in beside.items()]
    return Judgement(tuple(checks), tuple(found))


def _ask(rule: str, question: Callable[[], Iterable[str]]) -> Check:
    start = time.monotonic()
    reasons = tuple(question())
    seconds = round(time.monotonic() - start, 3)
    return Check(
        rule=rule, outcome="refused" if reasons else "passed", reasons=reasons, seconds=seconds
    )


def _signature_reasons(version: ModelVersion, public_key: PublicKey) -> Iterator[str]:
    try:
        verify_version(version.path, public_key)
    except BadSignature as error:
        yield str(error)


def _compared(
    version: ModelVersion,
    champion: ModelVersion,
    params: PromoteParams,
    store: Store,
    found: list[Comparison],
) -> Iterator[str]:
    paired = paired_scores(version, champion, store)
    yield from coverage_reasons(paired, params.min_slice)
    found += compare(paired, params, operating_point(paired, version, champion, params))
    yield from comparison_reasons(found, params)
