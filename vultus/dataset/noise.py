"""Label-noise suspects: pictures far from their subject's centre, subjects too near to each other.

Suspects, not errors: an unusual pose lies far from its centre too, and siblings lie near.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vultus.contracts.arrays import Embeddings
from vultus.dataset.census import Census

Rows = NDArray[np.int64]
_MAD = 1.4826
"""MAD times this estimates the standard deviation of normal values."""
_FEWEST, _MOST = 4, 20
"""Pictures of one subject in the sample, where there are so many."""
_HALVES = 3.0
"""Robust deviations below the median half at which two subjects begin to be suspect. On 260 real
subjects with SFace 5 gave 16 pairs, all of them strangers; 3 lies above the nearest of these."""
_BLOCK = 2048


@dataclass(frozen=True)
class Stray:
    """One picture far from the other pictures of its subject.

    row: of the picture; typical: of the subject's most central picture; similarity: to the centre
    of the subject's other pictures; usual: median of that within the subject; nearer: typical
    picture of another subject that is at least as near as mates usually are, with its similarity.
    """

    row: int
    typical: int
    similarity: float
    usual: float
    nearer: int | None
    nearer_similarity: float | None


@dataclass(frozen=True)
class Twins:
    """Two subjects whose centres are as near as two halves of one subject."""

    first: int
    second: int
    similarity: float


@dataclass(frozen=True)
class Noise:
    """What was looked at, the thresholds, and the suspects, worst first.

    pictures, subjects: in the sample. fall: how far below its subject's median a picture must lie at
    least; it must also be nearer to what strangers reach than to that median.
    mates: median similarity of two halves of one subject; near: from which two subjects are suspect.
    strangers: median similarity of two subjects. separable: False where mates are no more alike than
    strangers, so that pairs of subjects were not judged.
    """

    pictures: int
    subjects: int
    fall: float
    mates: float
    near: float
    strangers: float
    separable: bool
    strays: tuple[Stray, ...]
    twins: tuple[Twins, ...]


def noise_sample(census: Census, most: int) -> Rows:
    """Rows to embed: own pictures of subjects that have at least two, the same ones every time.

    Where there are too many, subjects come in the order of a fixed shuffle, each with 4 to 20
    pictures. Returns: int64 [<= most], ascending.
    """
    rows = np.flatnonzero(census.own)
    rng = np.random.default_rng(0)
    rows = rows[rng.permutation(rows.size)]
    person = census.labels["subject"].codes[rows]
    counts = np.bincount(person, minlength=census.subjects)
    usable = np.flatnonzero(counts >= 2)
    if not usable.size:
        return np.empty(0, np.int64)
    each = int(np.clip(most // usable.size, _FEWEST, _MOST))
    taken = np.where(counts >= 2, np.minimum(counts, each), 0)
    drawn = rng.permutation(census.subjects)
    within = np.zeros(census.subjects, np.bool_)
    within[drawn] = np.cumsum(taken[drawn]) <= most
    return np.sort(rows[(_turns(person) < each) & (within & (counts >= 2))[person]])


def judge_noise(rows: Rows, people: NDArray[np.int32], embeddings: Embeddings, far: float) -> Noise:
    """Find the suspects among embedded pictures.

    Args:
        rows: int64 [N]; people: subject codes int32 [N]; embeddings: float32 [N, D], unit length.
        far: how many robust standard deviations below its subject's median a picture is a suspect.
    """
    codes = np.unique(people, return_inverse=True)[1].reshape(-1)
    count = np.bincount(codes)
    total = np.zeros((count.size, embeddings.shape[1]), np.float32)
    np.add.at(total, codes, embeddings)
    own = (embeddings * _unit(total[codes] - embeddings)).sum(axis=1)
    own[count[codes] < 2] = np.nan
    usual = _medians(codes, own, count.size)
    deviation = usual[codes] - own
    several = count[codes] >= 3
    centres = _unit(total)
    halfway = (usual[codes] + _to_strangers(embeddings, codes, centres)) / 2
    scale = _MAD * float(np.median(np.abs(deviation[several]))) if several.any() else np.inf
    fall = far * max(scale, 0.01)
    typical = _typical(codes, (embeddings * centres[codes]).sum(axis=1), count.size)
    mates, near = _mates(codes, embeddings)
    strangers, pairs = _pairs(centres, near)
    separable = strangers < near < np.inf
    stray = np.flatnonzero(several & (deviation > fall) & (own < halfway))
    stray = stray[np.argsort(own[stray])]
    return Noise(
        pictures=rows.size,
        subjects=int(count.size),
        fall=fall,
        mates=mates,
        near=near,
        strangers=strangers,
        separable=separable,
        strays=tuple(
            _stray(int(at), rows, codes, embeddings, own, usual, centres, typical) for at in stray
        ),
        twins=tuple(
            Twins(int(rows[typical[a]]), int(rows[typical[b]]), similarity)
            for a, b, similarity in pairs
            if separable
        ),
    )


def _stray(
    at: int,
    rows: Rows,
    codes: NDArray[np.int64],
    embeddings: Embeddings,
    own: NDArray[np.float32],
    usual: NDArray[np.float64],
    centres: Embeddings,
    typical: Rows,
) -> Stray:
    person = codes[at]
    likeness = centres @ embeddings[at]
    likeness[person] = -1.0
    other = int(np.argmax(likeness))
    moved = likeness[other] > own[at] and likeness[other] >= usual[person] / 2
    return Stray(
        row=int(rows[at]),
        typical=int(rows[typical[person]]),
        similarity=float(own[at]),
        usual=float(usual[person]),
        nearer=int(rows[typical[other]]) if moved else None,
        nearer_similarity=float(likeness[other]) if moved else None,
    )


def _to_strangers(embeddings: Embeddings, codes: NDArray[np.int64], centres: Embeddings) -> float:
    """Median similarity of a picture to another subject's centre: each to the next subject's."""
    if len(centres) < 2:
        return 0.0
    others = centres[(codes + 1) % len(centres)]
    return float(np.median((embeddings * others).sum(axis=1)))


def _mates(codes: NDArray[np.int64], embeddings: Embeddings) -> tuple[float, float]:
    """Median similarity of two halves of one subject, and the value that nearly all halves reach.

    A few mixed-up subjects do not move either: both come from the median and the MAD.
    """
    order = np.argsort(codes, kind="stable")
    turn = np.empty(codes.size, np.int64)
    turn[order] = _turns(codes[order])
    halves = []
    for side in (0, 1):
        sums = np.zeros((int(codes.max()) + 1, embeddings.shape[1]), np.float32)
        mine = turn % 2 == side
        np.add.at(sums, codes[mine], embeddings[mine])
        halves.append(sums)
    both = np.all([np.abs(half).sum(axis=1) > 0 for half in halves], axis=0)
    if not both.any():
        return float("nan"), float("inf")
    alike = (_unit(halves[0][both]) * _unit(halves[1][both])).sum(axis=1)
    middle = float(np.median(alike))
    scale = _MAD * float(np.median(np.abs(alike - middle)))
    return middle, middle - _HALVES * max(scale, 0.01)


def _pairs(centres: Embeddings, near: float) -> tuple[float, list[tuple[int, int, float]]]:
    """Median similarity of two subjects, and the pairs at or above `near`, nearest first."""
    found: list[tuple[int, int, float]] = []
    middles = []
    for start in range(0, len(centres), _BLOCK):
        block = centres[start : start + _BLOCK] @ centres.T
        above = np.triu(np.ones(block.shape, np.bool_), start + 1)
        if not above.any():
            break
        middles.append(float(np.median(block[above])))
        first, second = np.nonzero(above & (block >= near))
        found += [
            (start + int(a), int(b), float(block[a, b])) for a, b in zip(first, second, strict=True)
        ]
    return float(np.median(middles)) if middles else 0.0, sorted(found, key=lambda x: -x[2])


def _turns(people: NDArray[np.integer]) -> NDArray[np.int64]:
    """How many earlier entries have the same person, int64 [N]."""
    order = np.argsort(people, kind="stable")
    sorted_people = people[order]
    first = np.concatenate([[True], sorted_people[1:] != sorted_people[:-1]])
    start = np.maximum.accumulate(np.where(first, np.arange(people.size), 0))
    turns = np.empty(people.size, np.int64)
    turns[order] = np.arange(people.size) - start
    return turns


def _typical(codes: NDArray[np.int64], likeness: NDArray[np.float32], people: int) -> Rows:
    """The place of each person's most central picture, int64 [people]."""
    best = np.zeros(people, np.int64)
    order = np.argsort(likeness, kind="stable")
    best[codes[order]] = order  # the last one written is the nearest
    return best


def _medians(
    codes: NDArray[np.int64], values: NDArray[np.float32], people: int
) -> NDArray[np.float64]:
    order = np.argsort(codes, kind="stable")
    edges = np.cumsum(np.bincount(codes, minlength=people))[:-1]
    return np.array([float(np.median(part)) for part in np.split(values[order], edges)])


def _unit(vectors: Embeddings) -> Embeddings:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
