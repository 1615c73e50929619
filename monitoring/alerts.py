"""Tells people: Alertmanager (API v2) and a plain webhook. No alert is lost.

An alert is written beside the report before it is sent, and removed when the receiver took it; what
is left is sent by the next pass, oldest first.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

logger = logging.getLogger(__name__)

_RETRIED = {408, 425, 429}
_ATTEMPTS = 3
_TIMEOUT_S = 5.0
_PAUSE_S = 0.5


class Alert(BaseModel):
    """One alert; labels identify it for Alertmanager, annotations are for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="VultusDrift, VultusAttacks")
    severity: Literal["warning", "critical"]
    summary: str = Field(description="the report's answer")
    description: str = Field(description="what was decided and what to do")
    page: str = Field(description="where the report lies")
    starts_at: datetime
    ends_at: datetime = Field(description="over by itself unless sent again; now = resolved")


ALERTS: TypeAdapter[list[Alert]] = TypeAdapter(list[Alert])


@dataclass(frozen=True)
class Channel:
    """One receiver: how alerts become a request's body, and where it goes."""

    name: Literal["alertmanager", "webhook"]
    url: str

    def body(self, alerts: Sequence[Alert]) -> Any:
        """JSON-able."""
        if self.name == "webhook":
            return {"version": 1, "alerts": [one.model_dump(mode="json") for one in alerts]}
        return [
            {
                "labels": {"alertname": a.name, "severity": a.severity, "service": "vultus"},
                "annotations": {
                    "summary": a.summary,
                    "description": a.description,
                    "page": a.page,
                },
                "startsAt": a.starts_at.isoformat(),
                "endsAt": a.ends_at.isoformat(),
            }
            for a in alerts
        ]


def channels_of(*, alertmanager: str | None, webhook: str | None) -> list[Channel]:
    """The receivers that the settings name."""
    channels = []
    if alertmanager:
        base = alertmanager.rstrip("/")
        path = "" if base.endswith("/api/v2/alerts") else "/api/v2/alerts"
        channels.append(Channel("alertmanager", base + path))
    if webhook:
        channels.append(Channel("webhook", webhook))
    return channels


def deliver(
    alerts: Sequence[Alert],
    channels: Sequence[Channel],
    folder: Path,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> list[str]:
    """Send these alerts and what earlier passes could not; returns a sentence for each failure.

    Args:
        folder: this pass's report; unsent alerts of others lie in its siblings.
    """
    for channel in channels:
        if alerts:
            _write(folder / _name(channel), alerts)
    failures = []
    if alerts and not channels:
        failures.append(
            "the alert has no receiver: set VULTUS_MONITORING__ALERTMANAGER or "
            "VULTUS_MONITORING__WEBHOOK"
        )
    for channel in channels:
        for file in sorted(folder.parent.glob(f"*/{_name(channel)}")):
            failure = _send(file, channel, pause)
            if failure is not None:
                failures.append(failure)
                break  # the receiver is down: the others wait for the next pass, in order
    return failures


def unsent(reports: Path) -> int:
    """Files of alerts that nobody has taken yet."""
    return sum(1 for _ in reports.glob("*-monitor/unsent-*.json"))


def _send(file: Path, channel: Channel, pause: Callable[[float], None]) -> str | None:
    """None when the receiver took it."""
    try:
        alerts = ALERTS.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        return f"{file} cannot be read and was left there: {error}"
    said = _post(channel, channel.body(alerts), pause)
    if said is not None:
        logger.error("alert not delivered", extra={"channel": channel.name, "why": said})
        return f"{channel.name} at {channel.url}: {said}; kept in {file}, sent again next time"
    file.unlink()
    logger.info("alert delivered", extra={"channel": channel.name, "alerts": len(alerts)})
    return None


def _post(channel: Channel, body: Any, pause: Callable[[float], None]) -> str | None:
    import httpx

    said = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            pause(_PAUSE_S * 2 ** (attempt - 1))
        try:
            answer = httpx.post(channel.url, json=body, timeout=_TIMEOUT_S)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = f"{type(error).__name__}: {error}"
            continue
        if answer.is_success:
            return None
        said = f"answered {answer.status_code} {answer.text[:200]}".strip()
        if answer.status_code < 500 and answer.status_code not in _RETRIED:
            break
    return said


def _write(file: Path, alerts: Sequence[Alert]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}")
    partial.write_bytes(ALERTS.dump_json(list(alerts), indent=2))
    partial.replace(file)


def _name(channel: Channel) -> str:
    return f"unsent-{channel.name}.json"
