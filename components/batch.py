"""One ordered loop over many pictures, on several processes, that says how far it is."""

import logging
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import TypeVar

from components.environment import environment

logger = logging.getLogger(__name__)

Work = TypeVar("Work")
Result = TypeVar("Result")
_REPORT_EVERY_S = 1.0
_WORKERS = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
) | {"MALLOC_TRIM_THRESHOLD_": str(256 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""Environment of the workers. They share the cores already: threads inside each cost a seventh (two
cores). What glibc gives back to the system between two batches has to be made anew, page by page: an
ingest that keeps it takes 5 % less processor time."""


def map_in_order(
    label: str,
    function: Callable[[Work], Result],
    items: Iterable[Work],
    *,
    total: int,
    processes: int,
    prepare: Callable[[], None] | None = None,
    weigh: Callable[[Work], int] = lambda _: 1,
    ahead: int = 8,
) -> Iterator[Result]:
    """Apply `function` to every item; results come in the order of the items.

    Args:
        label: what the progress lines call this work.
        function, prepare, items: picklable; `prepare` runs once in every process.
        total: number of items, or their whole weight, for the time left.
        weigh: how much of `total` an item is; called here.
        processes: 1 = in this process.
        ahead: items a process that are under way at most, so memory is flat.
    """
    progress = Progress(label, total)
    if processes <= 1:
        if prepare is not None:
            prepare()
        for item in items:
            result = function(item)
            progress.step(weigh(item))
            yield result
        return
    context = multiprocessing.get_context("spawn")
    with (
        environment(_WORKERS),
        ProcessPoolExecutor(processes, mp_context=context, initializer=prepare) as pool,
    ):
        queue = iter(items)
        under_way: deque[tuple[int, Future[Result]]] = deque(
            (weigh(item), pool.submit(function, item)) for item in islice(queue, ahead * processes)
        )
        while under_way:
            weight, future = under_way.popleft()
            result = future.result()
            under_way.extend(
                (weigh(item), pool.submit(function, item)) for item in islice(queue, 1)
            )
            progress.step(weight)
            yield result


class Progress:
    """Logs done, total, rate and time left about once a second."""

    def __init__(self, label: str, total: int) -> None:
        self._label, self._total, self._done = label, total, 0
        self._start = self._last = time.monotonic()

    def step(self, weight: int = 1) -> None:
        """One more item is done."""
        self._done += weight
        now = time.monotonic()
        if now - self._last < _REPORT_EVERY_S and self._done != self._total:
            return
        self._last = now
        rate = self._done / max(now - self._start, 1e-9)
        left_s = (self._total - self._done) / rate
        facts = {"done": self._done, "of": self._total, "rate_per_s": round(rate, 1)}
        logger.info(self._label, extra={**facts, "left_s": round(left_s)})
