"""Worker processes: forked from a server that has imported what they need, fed through a pipe each.

An interpreter and the imports of a step cost half a second of processor time. They are paid once, by
the server, while the caller still lists its items; it is a fresh process without threads, so that a
fork of it is safe where a fork of the caller would not be.
"""

import logging
import multiprocessing
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, suppress
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pickle import PicklingError
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from components.environment import environment

logger = logging.getLogger(__name__)

Work = TypeVar("Work", contravariant=True)
Result = TypeVar("Result")
_ENVIRONMENT = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1"
) | {"MALLOC_TRIM_THRESHOLD_": str(256 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""Of the workers. They share the cores already: threads inside each cost a seventh (two cores). What
glibc gives back to the system between two batches has to be made anew, page by page."""


_PLAIN_ARROW = "components.plain_arrow"


class Stage(Protocol[Work, Result]):
    """What a worker does; picklable."""

    @property
    def imports(self) -> str:
        """The module that the server imports for it."""

    def working(self) -> AbstractContextManager[Callable[[Work], Future[Result]]]:
        """For the life of one worker, a function that takes one item after the other and may answer
        later, in their order."""


def warm(stage: Stage[Any, Any]) -> None:
    """Begin to start the server, which imports the stage's module; nothing where there is one."""
    with environment(_ENVIRONMENT):
        multiprocessing.set_forkserver_preload([_PLAIN_ARROW, stage.imports])
        forkserver.ensure_running()


class Workers(Generic[Work, Result]):
    """`count` processes that run one stage; leaving the context ends them."""

    def __init__(self, stage: Stage[Work, Result], count: int) -> None:
        warm(stage)
        context = multiprocessing.get_context("forkserver")
        self._processes = []
        self._under_way: dict[Connection, int] = {}
        for _ in range(count):
            ours, theirs = multiprocessing.Pipe()
            inherited = dict(os.environ) | _ENVIRONMENT
            process = context.Process(target=_work, args=(stage, theirs, inherited), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._under_way[ours] = 0

    def __enter__(self) -> "Workers[Work, Result]":
        return self

    def __exit__(self, *_: object) -> None:
        for place in self._under_way:
            place.close()
        for process in self._processes:
            process.join()

    def give(self, number: int, item: Work) -> None:
        """Hand an item to the worker with the least to do."""
        place = min(self._under_way, key=lambda place: self._under_way[place])
        self._under_way[place] += 1
        try:
            place.send((number, item))
        except OSError as error:
            raise _broken() from error

    def answers(self) -> Iterator[tuple[int, Result]]:
        """Wait until there are some. Raises: what a worker raised; BrokenProcessPool, if one died."""
        for place in wait([place for place, count in self._under_way.items() if count]):
            assert isinstance(place, Connection)
            try:
                number, result, error = place.recv()
            except (EOFError, OSError) as cause:
                raise _broken() from cause
            if error is not None:
                raise error
            self._under_way[place] -= 1
            yield number, result


def _broken() -> BrokenProcessPool:
    return BrokenProcessPool("a worker process ended by itself, or was killed (out of memory?)")


def _work(stage: Stage[Any, Any], place: Connection, inherited: dict[str, str]) -> None:
    """One worker: until there is nothing more, or nobody asks any more."""
    os.environ.clear()
    os.environ.update(inherited)
    inbox = _Inbox(place)
    answers = _Answers(place)
    number = -1
    try:
        with stage.working() as work:
            while (told := inbox.next()) is not None:
                number, item = told
                work(item).add_done_callback(partial(answers.later, number))
    except Exception as error:
        answers.send(number, None, error)


class _Inbox:
    """Takes items in while the worker is at another: whoever sends need not wait for it."""

    def __init__(self, place: Connection) -> None:
        self._given: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()
        self._closed = threading.Event()
        threading.Thread(target=self._receive, args=(place,), daemon=True).start()

    def next(self) -> tuple[int, Any] | None:
        """The next item with its number; None, when nobody asks any more, whatever is left."""
        told = self._given.get()
        return None if self._closed.is_set() else told

    def _receive(self, place: Connection) -> None:
        try:
            while True:
                self._given.put(place.recv())
        except (EOFError, OSError):
            self._closed.set()
            self._given.put(None)


class _Answers:
    """Sends results, and what was raised with the place where."""

    def __init__(self, place: Connection) -> None:
        self._place, self._lock = place, threading.Lock()

    def later(self, number: int, done: "Future[Any]") -> None:
        """The answer of a future that is done."""
        error = done.exception()
        self.send(number, None if error else done.result(), error)

    def send(self, number: int, result: Any, error: BaseException | None) -> None:
        """One answer; what cannot be pickled is told by its text."""
        if error is not None:
            error.add_note("".join(traceback.format_exception(error)))
        with self._lock, suppress(BrokenPipeError):  # nobody asks any more
            try:
                self._place.send((number, result, error))
            except (PicklingError, TypeError, AttributeError) as cause:
                self._place.send((number, None, RuntimeError(f"{error or cause!r}")))
