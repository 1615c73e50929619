"""Rows of a feature log as a door writes them: staff who come and go, one camera a device, seeded.

A stratum's scores, qualities and PAD scores hang together as they do in a picture: a dark face is
less sharp, has less contrast and scores lower.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vultus.contracts.traffic import FEATURE_SCHEMA, SKETCH_LENGTH, STAGES

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
THRESHOLD = 0.36
PAD_THRESHOLD = 0.5


@dataclass(frozen=True)
class Door:
    """A day of traffic; the defaults are a normal one.

    dark: 0 = as lit as ever, 1 = lights out. attacks: share of presentations that are attacks.
    population: seed of the people; the same seed is the same staff. slow: factor of the latency.
    """

    rows: int = 1200
    start: datetime = MONDAY
    hours: float = 10.0
    seed: int = 0
    dark: float = 0.0
    attacks: float = 0.01
    population: int = 1
    people: int = 60
    slow: float = 1.0
    mated: float = 0.85
    device: str = "door-1"
    models: tuple[str | None, str | None] = (None, None)
    operations: tuple[str, ...] = ("verify", "verify", "liveness")


def traffic(door: Door) -> pa.Table:
    """One day as rows of FEATURE_SCHEMA, oldest first."""
    rng = np.random.default_rng(door.seed)
    n = door.rows
    offsets = np.sort(rng.uniform(0, door.hours * 3_600_000, n)).astype(np.int64)
    operation = rng.choice(np.array(door.operations), n)
    attack = rng.random(n) < door.attacks
    mated = rng.random(n) < door.mated
    quality = _quality(door, rng)
    pad = np.clip(rng.beta(9, 1.6, n) - 0.25 * door.dark * rng.random(n), 0, 1)
    pad[attack] = rng.beta(1.5, 9, int(attack.sum()))
    score = np.where(mated, rng.normal(0.66, 0.09, n), rng.normal(0.06, 0.09, n))
    score -= np.where(mated, 0.0035, 0) * (92 - quality["under_exposure_prevention"]).clip(0)
    compared = operation != "liveness"
    decision, reason = _decisions(compared, score, pad)
    columns = {
        "ts": pa.array(
            [door.start + timedelta(milliseconds=int(ms)) for ms in offsets],
            FEATURE_SCHEMA.field("ts").type,
        ),
        "request_id": [f"{door.seed:04x}{i:08x}" for i in range(n)],
        "operation": operation.tolist(),
        "tenant": ["main"] * n,
        "device": [door.device] * n,
        "model_recognition": [door.models[0]] * n,
        "model_pad": [door.models[1]] * n,
        "decision": decision,
        "reason": reason,
        "score": pa.array(score.astype(np.float32), mask=~compared),
        "margin": pa.array((score - THRESHOLD).astype(np.float32), mask=~compared),
        "pad_score": pad.astype(np.float32),
        **{f"quality_{name}": values.astype(np.float32) for name, values in quality.items()},
        "faces": np.ones(n, np.int32),
        **_latency(door, rng, compared),
        "sketch": _sketches(door, rng),
    }
    return pa.table({name: columns[name] for name in FEATURE_SCHEMA.names}, schema=FEATURE_SCHEMA)


def change_at(door: Door, hour: float, **changed: object) -> pa.Table:
    """A normal day until `hour` hours after its start, another one from there on."""
    share = hour / door.hours
    first = replace(door, rows=int(door.rows * share), hours=hour)
    second = replace(
        door,
        rows=door.rows - first.rows,
        hours=door.hours - hour,
        start=door.start + timedelta(hours=hour),
        seed=door.seed + 10_000,
        **changed,
    )
    return pa.concat_tables([traffic(first), traffic(second)])


def write_log(features: Path, table: pa.Table, name: str = "part-0") -> None:
    """Below `date=YYYY-MM-DD/`, as capture does."""
    days = np.array([ts.date().isoformat() for ts in table["ts"].to_pylist()])
    for day in np.unique(days):
        folder = features / f"date={day}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.filter(pa.array(days == day)), folder / f"{name}.parquet")


def _quality(door: Door, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, dark = door.rows, door.dark

    def around(middle: float, spread: float, loss: float) -> np.ndarray:
        return np.clip(rng.normal(middle, spread, n) - loss * dark, 1, 100)

    parts = {
        "sharpness": around(63, 11, 12),
        "under_exposure_prevention": around(92, 4, 45),
        "over_exposure_prevention": around(96, 3, -2),
        "dynamic_range": around(84, 5, 20),
        "inter_eye_distance": np.clip(rng.normal(96, 9, n), 20, 100),
        "head_pose": around(78, 10, 0),
    }
    parts["unified"] = np.exp(np.mean(np.log(list(parts.values())), axis=0))
    return parts


def _decisions(
    compared: np.ndarray, score: np.ndarray, pad: np.ndarray
) -> tuple[list[str], list[str | None]]:
    decisions: list[str] = []
    reasons: list[str | None] = []
    for is_compared, one, pad_score in zip(compared, score, pad, strict=True):
        refused = pad_score < PAD_THRESHOLD
        if is_compared:
            decided = "match" if one >= THRESHOLD else "non_match"
            decisions.append("not_decided" if refused else decided)
            reasons.append("attack" if refused else None)
        else:
            decisions.append("attack" if refused else "bona_fide")
            reasons.append(None)
    return decisions, reasons


def _latency(door: Door, rng: np.random.Generator, compared: np.ndarray) -> dict[str, pa.Array]:
    typical = {"decode": 3.0, "detect": 22.0, "pad": 14.0, "embed": 26.0, "search": 0.4}
    parts = {
        name: door.slow * typical[name] * rng.lognormal(0, 0.2, door.rows)
        for name in STAGES
        if name in typical
    }
    absent = {"embed": ~compared, "search": np.ones(door.rows, bool)}
    total = sum(np.where(absent.get(name, False), 0, values) for name, values in parts.items())
    columns = {
        f"latency_{name}_ms": pa.array(
            values.astype(np.float32), mask=absent.get(name, np.zeros(door.rows, bool))
        )
        for name, values in parts.items()
    }
    return {**columns, "latency_total_ms": pa.array(np.asarray(total, np.float32))}


def _sketches(door: Door, rng: np.random.Generator) -> list[list[int]]:
    """Signs of each person's own vector; the people of one population share a direction."""
    people = np.random.default_rng(door.population)
    centre = people.normal(0, 0.6, SKETCH_LENGTH)
    faces = centre + people.normal(0, 1, (door.people, SKETCH_LENGTH))
    shown = faces[rng.integers(0, door.people, door.rows)]
    noisy = shown + rng.normal(0, 0.35, shown.shape)
    return np.where(noisy >= 0, 1, -1).astype(np.int8).tolist()
