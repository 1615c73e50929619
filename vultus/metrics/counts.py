"""How often each score occurred: exact for any number of scores, in memory that does not follow it.

A float32 has 32 bits. Turned so that their order is that of the numbers, the upper 16 name a page and
the lower 16 a place in it. A page keeps its places as a list (2 bytes a score) until counting each of
the 65,536 takes less. So N scores take at most 2 bytes each and at most 256 KB for a page; cosine
scores beyond ±2^-12 lie in 3,072 pages, which is 0.8 GB however many scores there are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vultus.errors import BadParameter, NoTrials

Scores = NDArray[np.float32]
Keys = NDArray[np.uint32]
_PLACES = 1 << 16
_DENSE_FROM = 2 * _PLACES
_CHUNK = 1 << 22
_PIECES = 64
_SIGN = np.uint32(1 << 31)


class _Page:
    """Scores that share their upper 16 bits."""

    def __init__(self) -> None:
        self.scores = 0
        self._pieces: list[NDArray[np.uint16]] = []
        self._counts: NDArray[np.unsignedinteger[Any]] | None = None

    def add(self, places: NDArray[np.uint16]) -> None:
        self.scores += len(places)
        if self._counts is None:
            self._pieces.append(places)
            if self.scores > _DENSE_FROM:
                self._take(np.bincount(np.concatenate(self._pieces), minlength=_PLACES))
            elif len(self._pieces) > _PIECES:
                self._pieces = [np.concatenate(self._pieces)]
        else:
            self._take(np.bincount(places, minlength=_PLACES))

    def merge(self, other: "_Page") -> None:
        if other._counts is None:
            for piece in list(other._pieces):
                self.add(piece)
        else:
            mine = self.counts()
            self.scores += other.scores
            self._counts = None
            self._take(mine + other.counts())

    def counts(self) -> NDArray[np.int64]:
        """Scores at each place, int64 [65536]."""
        if self._counts is not None:
            return self._counts.astype(np.int64)
        places = np.concatenate([np.empty(0, np.uint16), *self._pieces])
        return np.bincount(places, minlength=_PLACES).astype(np.int64)

    def _take(self, more: NDArray[np.int64]) -> None:
        """Add counts; 32 bits a place until they might not do."""
        self._pieces = []
        if self._counts is None:
            self._counts = np.zeros(_PLACES, np.uint32)
        if self.scores >= 1 << 32 and self._counts.dtype == np.uint32:
            self._counts = self._counts.astype(np.uint64)
        self._counts += more.astype(self._counts.dtype)


class ScoreCounts:
    """A multiset of scores that grows by chunks and is merged with those of other processes."""

    def __init__(self) -> None:
        self._pages: dict[int, _Page] = {}
        self.scores = 0

    def add(self, scores: Scores) -> None:
        """Count float32 [N]. Raises: BadParameter, where one is not a number, and counts none."""
        if scores.dtype != np.float32:
            raise BadParameter(f"scores are counted as float32, these are {scores.dtype}")
        if np.isnan(scores).any():
            raise BadParameter("a score is NaN; count failed comparisons as failures to acquire")
        flat = scores.reshape(-1)
        for start in range(0, len(flat), _CHUNK):
            self._add(_keys(flat[start : start + _CHUNK]))

    def merge(self, other: "ScoreCounts") -> None:
        """Take the scores of `other` in as well; it stays as it is."""
        self.scores += other.scores
        for number, page in other._pages.items():
            self._page(number).merge(page)

    def accepted(self, threshold: float) -> int:
        """How many scores are >= threshold; the threshold is not rounded to 32 bits."""
        limit = np.float32(threshold)
        if float(limit) < threshold:
            limit = np.nextafter(limit, np.float32(np.inf))
        number, place = divmod(int(_keys(np.array([limit]))[0]), _PLACES)
        above = sum(page.scores for name, page in self._pages.items() if name > number)
        own = self._pages.get(number)
        return above + (0 if own is None else int(own.counts()[place:].sum()))

    def highest(self, rank: int) -> np.float32:
        """The score with `rank` scores before it, from the top; ties count each.

        Raises: NoTrials, where there are not as many.
        """
        if not 0 <= rank < self.scores:
            raise NoTrials(f"rank {rank} of {self.scores} scores")
        left, numbers = rank, iter(sorted(self._pages, reverse=True))
        number = next(numbers)
        while left >= self._pages[number].scores:
            left -= self._pages[number].scores
            number = next(numbers)
        above = np.cumsum(self._pages[number].counts()[::-1])
        place = _PLACES - 1 - int(np.searchsorted(above, left, "right"))
        return np.float32(_scores(np.array([number * _PLACES + place], np.uint32))[0])

    def pages(self) -> dict[int, int]:
        """Number of each page -> scores in it."""
        return {number: page.scores for number, page in self._pages.items()}

    def counts(self, number: int) -> NDArray[np.int64]:
        """Scores at each place of that page, int64 [65536]."""
        page = self._pages.get(number)
        return np.zeros(_PLACES, np.int64) if page is None else page.counts()

    def table(self) -> tuple[Scores, NDArray[np.int64]]:
        """Every score that occurred, rising, and how often."""
        scores, counts = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
        for number in sorted(self._pages):
            page = self._pages[number].counts()
            places = np.flatnonzero(page)
            scores.append(_scores((number * _PLACES + places).astype(np.uint32)))
            counts.append(page[places])
        return np.concatenate(scores), np.concatenate(counts)

    def _add(self, keys: Keys) -> None:
        keys.sort()
        numbers = keys >> np.uint32(16)
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[:1] + np.uint32(1)))
        ends = np.append(starts[1:], len(keys))
        places = keys.astype(np.uint16)
        for number, start, end in zip(numbers[starts].tolist(), starts, ends, strict=True):
            # A view would keep the whole chunk alive.
            self._page(number).add(places[start:end].copy())
        self.scores += len(keys)

    def _page(self, number: int) -> _Page:
        return self._pages.setdefault(number, _Page())


def _keys(scores: Scores) -> Keys:
    """uint32 in the order of the scores; -0 is 0."""
    bits = (scores + np.float32(0)).view(np.uint32)
    return bits ^ ((np.uint32(0) - (bits >> np.uint32(31))) | _SIGN)


def _scores(keys: Keys) -> Scores:
    """The scores of `_keys`."""
    flip = np.where(keys >= _SIGN, _SIGN, np.uint32(0xFFFFFFFF))
    return (keys ^ flip).view(np.float32)
