"""One ordered loop over many pictures, on several processes, that says how far it is."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Generic, TypeVar

from components.workers import Stage, Workers

logger = logging.getLogger(__name__)

Work = TypeVar("Work")
Result = TypeVar("Result")
_REPORT_EVERY_S = 1.0


@dataclass(frozen=True)
class Each(Generic[Work, Result]):
    """A stage that answers at once: a plain function."""

    function: Callable[[Work], Result]

    @property
    def imports(self) -> str:
        """The function's module."""
        return type(self.function).__module__

    @contextmanager
    def working(self) -> Iterator[Callable[[Work], Future[Result]]]:
        """The function, its result as one that is there."""

        def answered(item: Work) -> Future[Result]:
            future: Future[Result] = Future()
            future.set_result(self.function(item))
            return future

        yield answered


def map_in_order(
    label: str,
    stage: Stage[Work, Result],
    items: Iterable[Work],
    *,
    total: int,
    processes: int,
    weigh: Callable[[Work], int] = lambda _: 1,
    ahead: int = 8,
) -> Iterator[Result]:
    """Apply `stage` to every item; results come in the order of the items.

    Args:
        label: what the progress lines call this work.
        stage, items: picklable.
        total: number of items, or their whole weight, for the time left.
        weigh: how much of `total` an item is; called here.
        processes: 1 = in this process.
        ahead: items a process that are under way at most, so memory is flat.
    """
    progress = Progress(label, total)
    weighed = ((weigh(item), item) for item in items)
    results = _here(stage, weighed) if processes <= 1 else _there(stage, weighed, processes, ahead)
    for weight, result in results:
        progress.step(weight)
        yield result


def _here(
    stage: Stage[Work, Result], items: Iterator[tuple[int, Work]]
) -> Iterator[tuple[int, Result]]:
    """In this process; an item is begun before the answer to the one before is waited for."""
    with stage.working() as work:
        before: tuple[int, Future[Result]] | None = None
        for weight, item in items:
            before, last = (weight, work(item)), before
            if last is not None:
                yield last[0], last[1].result()
        if before is not None:
            yield before[0], before[1].result()


def _there(
    stage: Stage[Work, Result], items: Iterator[tuple[int, Work]], processes: int, ahead: int
) -> Iterator[tuple[int, Result]]:
    """In workers, none of which is started where there is nothing to do."""
    first = list(islice(items, ahead * processes))
    if not first:
        return
    numbered = enumerate(chain(first, items))
    weights = deque[int]()
    done: dict[int, Result] = {}
    with Workers(stage, min(processes, len(first))) as workers:

        def give(some: int) -> None:
            for number, (weight, item) in islice(numbered, some):
                workers.give(number, item)
                weights.append(weight)

        give(len(first))
        first.clear()
        for number in count():
            if not weights:
                return
            while number not in done:
                done.update(workers.answers())
            weight, result = weights.popleft(), done.pop(number)
            give(1)
            yield weight, result


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
