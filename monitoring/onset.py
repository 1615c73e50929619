"""Since when: the stretch of the window in which a column was furthest off its reference.

One-sided CUSUM, read as a maximum-sum segment: deviations in the direction of the change, less an
allowance, are summed; the segment with the largest sum is the change.
Source: Page, Continuous inspection schemes, Biometrika 1954.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from monitoring.strata import Sample

_WHOLE = 0.9
"""Share of the sample from which a segment is called the whole window."""
_TAIL = 0.05
"""Share of the sample that may follow a change that is called ongoing: chance ends a segment early."""


@dataclass(frozen=True)
class Onset:
    """From `start` to `end`; `before` is the reference's level, `now` that of the segment.

    whole: the entire window is off; ongoing: it is still so at the window's end.
    """

    start: datetime
    end: datetime
    whole: bool
    ongoing: bool
    before: float
    now: float

    @property
    def rose(self) -> bool:
        """Whether the level went up."""
        return self.now > self.before


def onset_of(sample: Sample) -> Onset:
    """Where in the window the change of a drifted sample lies.

    The allowance is half the observed shift, at most half a standard deviation of the reference, so
    that a change of part of the window is not taken for one of the whole. The direction is that of
    the mean; a column whose spread alone changed is told by its stretch of larger values.
    """
    spread = max(float(sample.reference.std()), 1e-6)
    shift = float(sample.current.mean() - sample.reference.mean()) / spread
    sign = 1.0 if shift >= 0 else -1.0
    # Clipped: one absurd value must not be a change of its own.
    deviations = np.clip(sign * (sample.current - sample.reference.mean()) / spread, -4, 4)
    first, last = largest_segment(deviations - min(0.5, abs(shift) / 2))
    # Once more with half the shift found inside, which is where the edges are sharpest.
    first, last = largest_segment(deviations - max(float(deviations[first:last].mean()), 0) / 2)
    whole = last - first >= _WHOLE * deviations.size
    if whole:
        first, last = 0, deviations.size
    before, now = _levels(sample.reference, sample.current[first:last])
    times = sample.times.astype("datetime64[ms]").astype(np.int64)
    return Onset(
        start=_utc(int(times[first])),
        end=_utc(int(times[last - 1])),
        whole=whole,
        ongoing=deviations.size - last <= _TAIL * deviations.size,
        before=before,
        now=now,
    )


def largest_segment(values: NDArray[np.float64]) -> tuple[int, int]:
    """Half-open segment of the largest sum. Args: values float64 [N], N >= 1."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    lowest = np.minimum.accumulate(sums[:-1])
    end = int(np.argmax(sums[1:] - lowest)) + 1
    start = int(np.argmin(sums[:end]))
    return start, end


def _levels(reference: NDArray[np.float64], segment: NDArray[np.float64]) -> tuple[float, float]:
    """Medians; means, where the medians hide the difference (a column that is mostly 100)."""
    medians = float(np.median(reference)), float(np.median(segment))
    means = float(reference.mean()), float(segment.mean())
    hidden = abs(medians[1] - medians[0]) < 0.5 * abs(means[1] - means[0])
    return means if hidden else medians


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
