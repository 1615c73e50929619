"""What decides the outcome of a monitoring pass; written into every DriftReport.

The defaults marked "guess" wait for traffic of a real site.
"""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vultus.errors import BadParameter


class MonitorParams(BaseModel):
    """Window, tests, and the rules from a report to an action."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    last_h: float = Field(default=24.0, gt=0, description="length of the current window, hours")
    last_rows: int | None = Field(
        default=None, ge=1, description="the newest N rows instead, whenever they were"
    )

    min_rows: int = Field(
        default=50, ge=20, description="rows a stratum needs, now and in the reference"
    )
    max_rows: int = Field(default=20_000, ge=100, description="rows a sample is thinned to")
    false_alarm_rate: float = Field(
        default=0.01, gt=0, lt=0.5, description="of a whole pass, if nothing has changed"
    )
    effect: float = Field(
        default=0.3, ge=0, description="Wasserstein distance, reference standard deviations: guess"
    )
    quality_floor: float = Field(
        default=3.0, ge=0, description="smallest change of a quality that counts, points: guess"
    )
    score_floor: float = Field(default=0.02, ge=0, description="of a score or margin: guess")
    latency_floor_ms: float = Field(default=10.0, ge=0, description="of a latency: guess")
    population_effect: float = Field(
        default=0.02, ge=0, description="mean squared shift of a sketch sign: guess"
    )
    mix_effect: float = Field(
        default=0.1, ge=0, description="share of requests that are decided otherwise: guess"
    )
    permutations: int = Field(default=4000, ge=200)
    seed: int = 0

    burst_minutes: float = Field(default=10.0, gt=0)
    burst_attacks: int = Field(default=5, ge=2, description="attacks in a burst, at least: guess")

    raise_after: int = Field(default=2, ge=1, description="drifted windows before an alert")
    clear_after: int = Field(default=3, ge=1, description="quiet windows before all is well again")
    alert_cooldown_h: float = Field(default=24.0, ge=0, description="same finding, no new alert")
    retrain_after: int = Field(default=3, ge=1, description="drifted windows before a retraining")
    retrain_cooldown_h: float = Field(default=168.0, ge=0)
    min_new_labelled: int = Field(
        default=500, ge=1, description="new labelled pictures worth a retraining: guess"
    )
    retrain_source: str | None = Field(
        default=None, description="ingest source that grows and is trained on again"
    )

    freeze_rows: int = Field(
        default=1000, ge=100, description="live rows that may become the reference"
    )

    def flat(self) -> dict[str, float | int | str | bool]:
        """As a DriftReport keeps them; what is unset is left out."""
        return self.model_dump(exclude_none=True)


def read_monitor_params(file: Path | None, changes: list[str] | None = None) -> MonitorParams:
    """Defaults, then a YAML file, then `name=value` pairs.

    Raises: BadParameter, naming the parameter.
    """
    values: dict[str, object] = {}
    try:
        if file is not None:
            given = yaml.safe_load(file.read_text()) or {}
            if not isinstance(given, dict):
                raise BadParameter(f"{file}: a mapping of parameter names to values is needed")
            values.update(given)
        for change in changes or []:
            name, equals, value = change.partition("=")
            if not equals:
                raise BadParameter(f"'{change}': write name=value, e.g. min_rows=100")
            values[name.strip()] = yaml.safe_load(value)
        return MonitorParams.model_validate(values)
    except (OSError, yaml.YAMLError) as error:
        raise BadParameter(f"monitoring parameters cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        known = ", ".join(MonitorParams.model_fields)
        raise BadParameter(f"{name}: {first['msg']}; parameters are: {known}") from error
