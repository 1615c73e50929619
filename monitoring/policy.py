"""From a report to an action: keep, alert or retrain. Pure, with hysteresis and cool-down.

- Drift becomes an alert when `raise_after` different windows in a row show it; it is over after
  `clear_after` quiet ones. Windows with too little data count for neither. Attacks alert at once.
- The same finding alerts again only after `alert_cooldown_h`; a new one does at once.
- Retraining is for changes that a model can learn: people or scores. Dark pictures call for a lamp.
  It needs `retrain_after` drifted windows and `min_new_labelled` new labelled pictures; without
  them it stays an alert that says so.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from monitoring.history import Action, PastPass, distinct
from monitoring.params import MonitorParams
from vultus.contracts.traffic import DriftReport
from vultus.contracts.words import Task

ATTACKS = "attacks"
_LEARNABLE = {
    "sketch": Task.RECOGNITION,
    "score": Task.RECOGNITION,
    "margin": Task.RECOGNITION,
    "pad_score": Task.LIVENESS,
}


class Supply(BaseModel):
    """New labelled pictures since the champions were made. count: None where it is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str | None
    count: int | None
    detail: str


class Decision(BaseModel):
    """What is done, and why. cleared: an open alert is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    reason: str
    keys: tuple[str, ...]
    tasks: tuple[Task, ...] = ()
    alerting: bool
    cleared: bool = False


def keys_of(report: DriftReport) -> tuple[str, ...]:
    """What drifted: `column@slice`, and `attacks`."""
    keys = []
    for test in report.tests:
        if test.drifted:
            column = test.name.split()[0]
            attacks = column in ("attack", "attacks")
            keys.append(ATTACKS if attacks else f"{column}@{test.slice}")
    return tuple(dict.fromkeys(keys))


def decide(
    report: DriftReport,
    history: Sequence[PastPass],
    supply: Supply,
    params: MonitorParams,
    *,
    now: datetime,
) -> Decision:
    """Judge this pass in the light of the earlier ones (oldest first)."""
    keys = keys_of(report)
    earlier = [
        one
        for one in distinct(history)
        if (one.window_end, one.rows) != (report.window_end, report.rows)
    ]
    was_alerting = bool(history) and history[-1].alerting
    if report.status == "not_enough_data":
        reason = "too little data to change anything"
        return Decision(action="keep", reason=reason, keys=keys, alerting=was_alerting)
    if not keys:
        return _quiet(earlier, was_alerting, params)
    drifted = 1 + _streak(earlier, "drift")
    if ATTACKS not in keys and not was_alerting and drifted < params.raise_after:
        reason = f"drift in {drifted} of {params.raise_after} windows in a row: wait for the next"
        return Decision(action="keep", reason=reason, keys=keys, alerting=False)
    tasks, refusal = _trainable(keys, drifted, history, supply, params, now)
    if tasks:
        names = " and ".join(task.value for task in tasks)
        reason = f"{names}: drift in {drifted} windows in a row, {supply.detail}"
        return Decision(action="retrain", reason=reason, keys=keys, tasks=tasks, alerting=True)
    return _alert(keys, history, refusal, params, now)


def _quiet(earlier: Sequence[PastPass], was_alerting: bool, params: MonitorParams) -> Decision:
    quiet = 1 + _streak(earlier, "ok")
    if not was_alerting:
        return Decision(action="keep", reason="nothing moved", keys=(), alerting=False)
    if quiet >= params.clear_after:
        reason = f"quiet in {quiet} windows in a row: the alert is over"
        return Decision(action="keep", reason=reason, keys=(), alerting=False, cleared=True)
    reason = f"quiet in {quiet} of {params.clear_after} windows in a row: the alert stays open"
    return Decision(action="keep", reason=reason, keys=(), alerting=True)


def _trainable(
    keys: Sequence[str],
    drifted: int,
    history: Sequence[PastPass],
    supply: Supply,
    params: MonitorParams,
    now: datetime,
) -> tuple[tuple[Task, ...], str]:
    """Tasks to train again, or why none."""
    columns = {key.partition("@")[0] for key in keys}
    wanted = tuple(sorted({_LEARNABLE[c] for c in columns if c in _LEARNABLE}))
    if not wanted:
        return (), "no retraining: nothing that it could learn has moved"
    if drifted < params.retrain_after:
        return (), f"no retraining before {params.retrain_after} drifted windows in a row"
    since = now - timedelta(hours=params.retrain_cooldown_h)
    rested = tuple(
        task for task in wanted if not any(one.at > since and task in one.tasks for one in history)
    )
    if not rested:
        return (), f"no retraining: the last began less than {params.retrain_cooldown_h:g} h ago"
    if supply.count is None or supply.count < params.min_new_labelled:
        return (), (
            f"no retraining: {params.min_new_labelled} new labelled pictures are needed, "
            f"{supply.detail}"
        )
    return rested, ""


def _alert(
    keys: tuple[str, ...],
    history: Sequence[PastPass],
    refusal: str,
    params: MonitorParams,
    now: datetime,
) -> Decision:
    since = now - timedelta(hours=params.alert_cooldown_h)
    told = {
        key: one.at
        for one in history
        if one.at > since and one.action != "keep"
        for key in one.keys
    }
    fresh = [key for key in keys if key not in told]
    if not fresh:
        first = min(told[key] for key in keys)
        reason = f"already alerted at {first:%d %b %H:%M} UTC; {refusal}"
        return Decision(action="keep", reason=reason, keys=keys, alerting=True)
    columns = dict.fromkeys(key.partition("@")[0] for key in fresh)
    reason = f"{', '.join(columns)} moved; {refusal}"
    if ATTACKS in fresh:
        reason = f"more attacks than usual; {refusal}"
    return Decision(action="alert", reason=reason, keys=keys, alerting=True)


def _streak(earlier: Sequence[PastPass], status: str) -> int:
    """Windows in a row, up to the newest, with this status; thin ones are passed over."""
    count = 0
    for one in reversed(earlier):
        if one.status == "not_enough_data":
            continue
        if one.status != status:
            break
        count += 1
    return count
