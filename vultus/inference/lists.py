"""Many pictures through one analyser: each looked at once, however often a list names it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from vultus.inference.analyser import FaceAnalyser
from vultus.inference.chosen import Looked, look_at
from vultus.inference.tables import Item

Done = Callable[[Item, Looked], None]
_AHEAD = 4
"""Pictures under way a thread; more would only hold memory."""


@dataclass
class Scored:
    """Scores in the order of the rows, and how often each reason left one out."""

    scores: list[float | None] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    pictures: int = 0

    def add(self, score: float | None, why: str) -> None:
        """One more row."""
        self.scores.append(score)
        if score is None:
            self.reasons[why] += 1


def score_pairs(
    analyser: FaceAnalyser,
    pairs: Sequence[tuple[Item, Item]],
    images: Path,
    *,
    threads: int,
    done: Done,
) -> Scored:
    """Cosine similarity of every pair; `done` is called once a picture."""
    wanted = list(dict.fromkeys(item for pair in pairs for item in pair))
    found = dict(_each(analyser, wanted, images, threads, done, embed=True))
    scored = Scored(pictures=len(wanted))
    for a, b in pairs:
        first, second = found[a], found[b]
        if first.embedding is None or second.embedding is None:
            scored.add(None, first.why or second.why)
        else:
            scored.add(float(np.dot(first.embedding, second.embedding)), "")
    return scored


def score_presentations(
    analyser: FaceAnalyser,
    items: Sequence[Item],
    images: Path,
    *,
    threads: int,
    done: Done,
) -> Scored:
    """PAD score of every item; `done` is called once a picture."""
    wanted = list(dict.fromkeys(items))
    found = dict(_each(analyser, wanted, images, threads, done, embed=False))
    scored = Scored(pictures=len(wanted))
    for item in items:
        scored.add(found[item].pad_score, found[item].why)
    return scored


def _each(
    analyser: FaceAnalyser,
    items: Iterable[Item],
    images: Path,
    threads: int,
    done: Done,
    *,
    embed: bool,
) -> Iterator[tuple[Item, Looked]]:
    """Every item, in order, on several threads, with few pictures in memory."""
    queue = iter(items)
    with ThreadPoolExecutor(threads) as pool:

        def submit(count: int) -> list[tuple[Item, Future[Looked]]]:
            return [
                (item, pool.submit(look_at, analyser, item, images, embed=embed))
                for item in islice(queue, count)
            ]

        under_way = submit(_AHEAD * threads)
        while under_way:
            item, future = under_way.pop(0)
            looked = future.result()
            under_way += submit(1)
            done(item, looked)
            yield item, looked
