"""How fast are the figures? 10^8 comparisons into all 1:1 figures; a bootstrap on 10^6 trials.

Targets, on two cores: 10^8 comparisons scored and counted in <= 60 s and <= 2 GB; 1,000 replicates on
10^6 trials in <= 20 s. Each runs in a process of its own, so that its memory is its own too.
"""

import argparse
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.machine import say
from vultus.metrics import ComparisonCounts, Resampled, count_pairs, percentiles

_DIMENSION = 512
_PICTURES = 5
_FMRS = tuple(10.0**-power for power in range(1, 7))


def main() -> None:
    """Both, one after the other; print one JSON summary."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--comparisons", type=float, default=1e8)
    options.add_argument("--trials", type=float, default=1e6)
    options.add_argument("--replicates", type=int, default=1000)
    given = options.parse_args()
    counted = _alone(count, int(given.comparisons))
    say({"count": counted, "bootstrap": _alone(resample, int(given.trials), given.replicates)})


def count(comparisons: int) -> dict[str, Any]:
    """Score every pair of random embeddings, and ask for every 1:1 figure."""
    faces = int((2 * comparisons) ** 0.5) + 2
    rng = np.random.default_rng(0)
    subjects = np.arange(faces) // _PICTURES
    embeddings = rng.normal(size=(faces, _DIMENSION)).astype(np.float32)
    embeddings += 0.6 * rng.normal(size=(subjects[-1] + 1, _DIMENSION)).astype(np.float32)[subjects]
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    began, spent = time.monotonic(), time.process_time()
    counts = ComparisonCounts()
    count_pairs(embeddings, subjects, counts)
    curve = counts.det(_FMRS)
    figures = {
        "eer": counts.equal_error_rate(),
        "auc": counts.auc(),
        "fnmr_at_fmr": dict(zip(map(str, _FMRS), curve.fnmr.tolist(), strict=True)),
    }
    return {
        "comparisons": counts.mated.scores + counts.non_mated.scores,
        "embedding_length": _DIMENSION,
        "wall_s": round(time.monotonic() - began, 2),
        "cpu_s": round(time.process_time() - spent, 2),
        **figures,
    }


def resample(trials: int, replicates: int) -> dict[str, Any]:
    """Intervals of EER, AUC, FNMR at two FMRs and of both rates at a threshold, over 2,000 subjects."""
    rng = np.random.default_rng(0)
    first = rng.integers(0, 2000, trials)
    second = np.where(rng.random(trials) < 0.05, first, rng.integers(0, 2000, trials))
    mated = first == second
    scores = (rng.normal(0, 0.1, trials) + 0.4 * mated).astype(np.float32)
    began, spent = time.monotonic(), time.process_time()
    found = Resampled(scores, mated, first, second).run(
        replicates=replicates, fmrs=(1e-2, 1e-3), thresholds=(0.2,)
    )
    return {
        "trials": trials,
        "replicates": replicates,
        "wall_s": round(time.monotonic() - began, 2),
        "cpu_s": round(time.process_time() - spent, 2),
        "eer": percentiles(found.eer),
        "auc": percentiles(found.auc),
        "fnmr_at_fmr_1e-3": percentiles(found.fnmr[:, 1]),
    }


def _alone(measure: Callable[..., dict[str, Any]], *given: int) -> dict[str, Any]:
    """Run in a fresh process of two threads; adds its peak memory."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2"))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_with_memory, (measure, given))


def _with_memory(measure: Callable[..., dict[str, Any]], given: tuple[int, ...]) -> dict[str, Any]:
    found = measure(*given)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {**found, "peak_rss_gb": round(peak_kb / 1e6, 2)}


if __name__ == "__main__":
    main()
