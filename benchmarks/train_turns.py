"""Two trainings of the same thing in turn, each in a process of its own: answers, clock, processor."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import torch

from benchmarks.machine import weights_folder
from benchmarks.train_naive import Bench
from components.train import train_model
from vultus.contracts.models import Checkpoint
from vultus.networks.schedule import FitParams
from vultus.networks.waiting import PATIENT


@dataclass(frozen=True)
class Turn:
    """One training: what it answered, seconds by the clock and of the processor."""

    answer: Any
    clock: float
    processor: float


Turns = Mapping[str, list[Turn]]
"""Of `naive` and of `ours`, one a round."""


def in_turn(
    bench: Bench, naive: Callable[[Bench, FitParams], Any], threads: int, rounds: int
) -> Turns:
    """Train both in turn; a first round warms up and is not counted, unless there is no other."""
    found: dict[str, list[Turn]] = {"naive": [], "ours": []}
    with ExitStack() as open_:
        # A process for each: what ours asks of malloc and OpenMP must not help the other.
        workers = {
            "naive": open_.enter_context(_worker({})),
            "ours": open_.enter_context(_worker(dict([PATIENT]))),
        }
        for _ in range(rounds + 1):
            for name, train in (("naive", naive), ("ours", ours)):
                told = workers[name].submit(_timed, train, bench, bench.settings(threads))
                found[name].append(told.result())
    return {name: turns[1:] or turns for name, turns in found.items()}


def speed(turns: Turns, pictures: int) -> dict[str, Any]:
    """Medians, and ratios of what ran in the same round. `pictures`: over all epochs."""
    ratios = [
        (naive.clock / mine.clock, naive.processor / mine.processor)
        for naive, mine in zip(turns["naive"], turns["ours"], strict=True)
    ]
    quickest = {name: min(turn.clock for turn in all_) for name, all_ in turns.items()}
    return {
        "pictures_a_second": {
            name: round(pictures / statistics.median(turn.clock for turn in all_), 1)
            for name, all_ in turns.items()
        },
        "cpu_ms_a_picture": {
            name: round(1e3 * statistics.median(turn.processor for turn in all_) / pictures, 2)
            for name, all_ in turns.items()
        },
        "times_as_fast_by_the_clock": round(statistics.median(ratio[0] for ratio in ratios), 2),
        # Of the round that was least disturbed: threads that wait for one another suffer most.
        "times_as_fast_in_the_fastest_rounds": round(quickest["naive"] / quickest["ours"], 2),
        "times_as_fast_in_processor_time": round(
            statistics.median(ratio[1] for ratio in ratios), 2
        ),
    }


def ours(bench: Bench, settings: FitParams) -> list[float]:
    """The step as it is, decoding and saving its state; the loss of each epoch."""
    out = bench.root / "checkpoint"
    train_model(
        bench.crops,
        out,
        bench.params,
        store=bench.store,
        tracker=None,
        resume=bench.root / "resume",
        weights=weights_folder(),
        threads=settings.threads,
    )
    history = Checkpoint.open(out).table("history.parquet").to_pylist()
    return [row["value"] for row in history if row["metric"] == "loss"]


def _timed(train: Callable[[Bench, FitParams], Any], bench: Bench, settings: FitParams) -> Turn:
    torch.set_num_threads(settings.threads)
    clock, processor = time.monotonic(), time.process_time()
    answer = train(bench, settings)
    return Turn(answer, time.monotonic() - clock, time.process_time() - processor)


def _worker(environment: dict[str, str]) -> ProcessPoolExecutor:
    """A process that begins with these variables: a bench has torch before it trains, where the step
    sets them itself."""
    worker = ProcessPoolExecutor(1, get_context("spawn"))
    before = dict(os.environ)
    os.environ.update(environment)
    worker.submit(int).result()
    os.environ.clear()
    os.environ.update(before)
    return worker
