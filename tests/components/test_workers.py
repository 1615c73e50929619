"""Workers: results in order, errors as they were raised, and nobody waits for one that is dead."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.batch import Each, map_in_order
from vultus.errors import StorageUnavailable


@dataclass(frozen=True)
class Late:
    """Answers from another thread, some items later; notes when it is closed."""

    note: Path

    @property
    def imports(self) -> str:
        return __name__

    @contextmanager
    def working(self) -> Iterator[Callable[[int], Future[int]]]:
        try:
            with ThreadPoolExecutor(1) as pool:
                yield lambda item: pool.submit(self._slowly, item)
        finally:
            (self.note / str(os.getpid())).touch()

    def _slowly(self, item: int) -> int:
        time.sleep(0.01 * (item % 3))
        if item == 13:
            raise StorageUnavailable("no room for 13")
        return item * item


class Lambda:
    """No pickle takes it."""

    def __reduce__(self) -> str:
        raise TypeError("cannot be pickled")


def doubled(item: int) -> int:
    return 2 * item


def unkind(item: int) -> object:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return Lambda() if item == 5 else item


def told(item: int) -> str:
    return os.environ.get("VULTUS_TEST_TOLD", "")


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_late_answers_come_in_order_and_workers_are_closed(tmp_path: Path, processes: int) -> None:
    found = map_in_order(
        "squares", Late(tmp_path), range(12), total=12, processes=processes, ahead=2
    )
    assert list(found) == [item * item for item in range(12)]
    assert len(list(tmp_path.iterdir())) == processes


@pytest.mark.parametrize("processes", [1, 2])
def test_what_is_raised_in_a_worker_is_raised_here(tmp_path: Path, processes: int) -> None:
    found = map_in_order(
        "squares", Late(tmp_path), range(30), total=30, processes=processes, ahead=2
    )
    with pytest.raises(StorageUnavailable, match="no room for 13"):
        list(found)
    assert len(list(tmp_path.iterdir())) == processes, "what was under way was waited for"


def test_a_worker_that_is_killed_ends_the_run() -> None:
    with pytest.raises(BrokenProcessPool, match="killed"):
        list(map_in_order("unkind", Each(unkind), [1, 2, 3, 4], total=4, processes=2))


def test_an_answer_that_cannot_be_sent_is_said_so() -> None:
    with pytest.raises(RuntimeError, match="cannot be pickled"):
        list(map_in_order("unkind", Each(unkind), [5, 6, 7], total=3, processes=2))


def test_items_are_asked_for_as_they_are_needed() -> None:
    asked: list[int] = []

    def items() -> Iterator[int]:
        for item in range(50):
            asked.append(item)
            yield item

    found = map_in_order("doubled", Each(doubled), items(), total=50, processes=2, ahead=3)
    assert [next(found) for _ in range(5)] == [0, 2, 4, 6, 8]
    assert len(asked) <= 5 + 2 * 3
    found.close()


def test_no_item_starts_no_worker(tmp_path: Path) -> None:
    assert list(map_in_order("none", Late(tmp_path), [], total=0, processes=2)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_worker_sees_the_environment_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("one", "two"):
        monkeypatch.setenv("VULTUS_TEST_TOLD", word)
        assert set(map_in_order("told", Each(told), [1, 2], total=2, processes=2)) == {word}
