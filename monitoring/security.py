"""Attacks seen in the traffic: how often faces were taken for attacks, and when many came at once.

A PAD network refuses some bona fide faces too. What is expected without any attack is the share of
the confirmed reference window or, without one, the champion's BPCER.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from monitoring.findings import FAMILIES
from monitoring.onset import Onset, onset_of
from monitoring.params import MonitorParams
from monitoring.reference import Reference, Share
from monitoring.strata import Sample, Stratum
from monitoring.window import Window
from vultus.contracts.traffic import DriftTest
from vultus.contracts.words import PadDecision, Reason
from vultus.metrics.intervals import wilson


@dataclass(frozen=True)
class Burst:
    """`attacks` of `faces` between start and end; p of so many where `expected` holds."""

    start: datetime
    end: datetime
    attacks: int
    faces: int
    device: str | None
    p: float


@dataclass(frozen=True)
class AttackReport:
    """Share of faces taken for attacks and what was expected, both with 95 % intervals.

    onset: since when there are more, where that is beyond chance; burst: the densest one that chance
    does not explain; device: of most attacks; course: 1 for each face taken for an attack, else 0.
    """

    share: Share | None
    expected: Share | None
    onset: Onset | None
    burst: Burst | None
    device: str | None = None
    course: Sample | None = None

    @property
    def raised(self) -> bool:
        """More attacks than expected, beyond chance."""
        return self.onset is not None

    @property
    def alarming(self) -> bool:
        """Whether somebody has to look."""
        return self.raised or self.burst is not None

    def tests(self, params: MonitorParams) -> Iterator[DriftTest]:
        """As the contract keeps them."""
        if self.share is not None and self.expected is not None:
            yield DriftTest(
                name="attack share, lower end of the 95 % interval",
                statistic=self.share.low,
                threshold=self.expected.high,
                drifted=self.raised,
            )
        if self.burst is not None:
            yield DriftTest(
                name=f"attacks within {params.burst_minutes:g} minutes",
                statistic=self.burst.attacks,
                threshold=params.burst_attacks,
                drifted=True,
            )


def attacks_in(window: Window, reference: Reference, params: MonitorParams) -> AttackReport:
    """Judge the attack decisions of a window."""
    faces, attack = _decided(window.table)
    expected = _expected(reference, params)
    if not attack.size:
        return AttackReport(None, expected, None, None)
    share = share_of(int(attack.sum()), attack.size)
    course = _course(faces, attack, expected)
    onset = None
    if expected is not None and attack.size >= params.min_rows and _beyond(share, expected, params):
        onset = onset_of(course)
    burst = _burst(faces, attack, expected, onset, params)
    device = _commonest(faces.filter(pa.array(attack))["device"])
    return AttackReport(share, expected, onset, burst, device, course)


def share_of(count: int, n: int, confidence: float = 0.95) -> Share:
    """A share with its Wilson interval."""
    low, high = wilson(count, n, confidence)
    return Share(count / n, low, high, n)


def binomial_tail(count: int, n: int, share: float) -> float:
    """Probability of `count` or more of `n`, each with probability `share`."""
    if count <= 0:
        return 1.0
    if share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    total = 0.0
    for k in range(count, n + 1):
        log_term = (
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(share)
            + (n - k) * math.log1p(-share)
        )
        term = math.exp(log_term)
        total += term
        if k > n * share and term < 1e-12 * total:
            break  # beyond the mode the terms fall geometrically
    return min(1.0, total)


def _decided(table: pa.Table) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Rows with a PAD score, and which of them were taken for attacks, bool [N]."""
    faces = table.filter(pc.is_valid(table["pad_score"]))
    attack = pc.or_(
        pc.equal(faces["decision"], PadDecision.ATTACK.value),
        pc.fill_null(pc.equal(faces["reason"], Reason.ATTACK.value), False),
    )
    return faces, np.asarray(attack.to_numpy(), bool)


def _expected(reference: Reference, params: MonitorParams) -> Share | None:
    if not reference.live:
        return reference.bpcer
    _, attack = _decided(reference.table)
    return share_of(int(attack.sum()), attack.size) if attack.size >= params.min_rows else None


def _beyond(share: Share, expected: Share, params: MonitorParams) -> bool:
    """Disjoint intervals at the level that the attacks' part of the false alarm rate leaves."""
    confidence = 1 - params.false_alarm_rate / FAMILIES
    now, usual = (share_of(round(s.value * s.n), s.n, confidence) for s in (share, expected))
    return now.low > max(usual.high, expected.high)


def _course(faces: pa.Table, attack: NDArray[np.bool_], expected: Share | None) -> Sample:
    """The course of 0 and 1 against the expected share."""
    n, value = (1, 0.0) if expected is None else (max(expected.n, 1), expected.value)
    usual = np.zeros(n)
    usual[: max(1, round(value * n))] = 1
    times = faces["ts"].to_numpy().astype("datetime64[ms]")
    return Sample("attack", Stratum("all", "all"), usual, attack.astype(float), times)


def _burst(
    faces: pa.Table,
    attack: NDArray[np.bool_],
    expected: Share | None,
    onset: Onset | None,
    params: MonitorParams,
) -> Burst | None:
    """The least likely stretch of `burst_minutes`, if chance hardly ever makes it."""
    times = faces["ts"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    places = np.flatnonzero(attack)
    if places.size < params.burst_attacks:
        return None
    width = int(params.burst_minutes * 60_000)
    usual = expected.high if expected is not None else float(attack.mean())
    if onset is not None:
        usual = max(usual, onset.now)  # a burst within a raised share is one above that share
    best: Burst | None = None
    for index, place in enumerate(places):
        beyond = int(np.searchsorted(times[places], times[place] + width, side="right"))
        count, last = beyond - index, places[beyond - 1]
        if count < params.burst_attacks or (best is not None and count < best.attacks):
            continue
        seen = int(last - place) + 1
        # The first face is an attack by choice of the stretch, so it proves nothing.
        chance = binomial_tail(count - 1, seen - 1, usual) * places.size
        if chance < params.false_alarm_rate / (2 * FAMILIES) and (best is None or chance < best.p):
            inside = faces.slice(int(place), seen).filter(pa.array(attack[place : last + 1]))
            start, end = (datetime.fromtimestamp(times[p] / 1000, UTC) for p in (place, last))
            best = Burst(start, end, count, seen, _commonest(inside["device"]), chance)
    return best


def _commonest(devices: pa.ChunkedArray) -> str | None:
    """The device of most of the attacks, if it is of two thirds of them."""
    counts = pc.value_counts(devices.drop_null()).to_pylist()
    if not counts:
        return None
    most = max(counts, key=lambda one: one["counts"])
    return most["values"] if 3 * most["counts"] >= 2 * len(devices) else None
